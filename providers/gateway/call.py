"""One call to a provider: what is asked, what came back, what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from core.secrets import Secret

from .listings import Rows
from .vocabulary import Outcome, Reason

T = TypeVar("T")


class Effect(StrEnum):
    """What happens if the same call is made twice."""

    READ = "read"
    """Nothing. Tried again up to three times by the door itself."""
    CONFIRMED = "confirmed"
    """Harmless, but its result must be looked up afterwards (cancelling an order)."""
    PAID = "paid"
    """Money. Made once; never repeated while its outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client can ask, and what of it may not be written down.

    `hidden` and `masked` name fields of the query, the form or the JSON of request and
    answer alike, at any depth. Hidden fields are replaced whole; of masked ones (phone
    numbers) the ends and the length stay readable.
    """

    name: str
    effect: Effect
    hidden: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    readable_in_answer: frozenset[str] = frozenset()
    """Hidden fields of the request whose name means something harmless in answers."""
    readable_in_error: frozenset[str] = frozenset()
    """The same for answers whose status is not 2xx: `code` may be a secret in an order
    and the name of an error in an error body."""
    rows: Rows | None = None
    """For what answers with a list: only the count and the ids of its rows are kept."""

    def hidden_in_answer(self, status: int) -> frozenset[str]:
        readable = self.readable_in_answer
        if not 200 <= status < 300:
            readable |= self.readable_in_error
        return self.hidden - readable


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is joined to the account's base URL. One of `form` and `json` at most."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values of this one call that are hidden wherever they turn up (a code, a token)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: decoded (gzip) and within the size limit."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What the journal keeps of one HTTP exchange; already redacted."""

    operation: str
    subject: str
    """What it was for, as `message:42`; the apps above know how to resolve it."""
    started_at: datetime
    duration: float
    """Seconds."""
    method: str
    url: str
    outcome: Outcome
    reason: Reason | None
    http_status: int | None
    request_body: str
    answer_body: str
    attempt: int
    """1 for the first try; reads may be tried again."""


class Limiter(Protocol):
    """Keeps an account within its limits. Called from the thread that makes the call."""

    def wait(self, operation: Operation) -> None:
        """Return when the call may leave."""
        ...

    def slow_down(self, seconds: float) -> None:
        """The provider asked the whole account to wait this long."""
        ...


class Recorder(Protocol):
    def record(self, record: CallRecord) -> None: ...


class Transport(Protocol):
    """The one way out. `providers.gateway.http.client.HttpClient` is the real one."""

    def call(self, operation: Operation, request: Request, parse: Callable[[Answer], T]) -> T:
        """Make the call and return what `parse` makes of the answer.

        Raises a `GatewayError` and nothing else. `parse` may raise one too; the
        record is written after it, with the outcome that it came to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """What a client needs to know of an account."""

    base_url: str
    credentials: Mapping[str, Secret]
    options: Mapping[str, object] = field(default_factory=dict)
