"""One call to a provider: request, answer and journal record."""

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
    """The consequence of making the same call twice."""

    READ = "read"
    """None. The transport itself repeats it up to three times."""
    CONFIRMED = "confirmed"
    """No harm, but its result must be looked up afterwards (cancelling an order)."""
    PAID = "paid"
    """It costs money. Made once, and never repeated while its outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of call, and the fields of it that must not be stored.

    `hidden` and `masked` name fields of the query, the form or the JSON, in request and answer
    alike, at any depth. Hidden fields are replaced completely. Masked ones (phone numbers) keep
    their ends and their length.
    """

    name: str
    effect: Effect
    hidden: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    readable_in_answer: frozenset[str] = frozenset()
    """Hidden fields of the request whose name means something harmless in an answer."""
    readable_in_error: frozenset[str] = frozenset()
    """The same for answers whose status is not 2xx. For example, `code` is a secret in an order
    and the name of an error in an error body."""
    rows: Rows | None = None
    """For answers that are lists: the journal keeps only the number and the ids of their rows."""

    def hidden_in_answer(self, status: int) -> frozenset[str]:
        readable = self.readable_in_answer
        if not 200 <= status < 300:
            readable |= self.readable_in_error
        return self.hidden - readable


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is appended to the account's base URL. At most one of `form` and `json` is set."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values of this call that are hidden wherever they occur (a code, a token)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, decoded (gzip) and within the size limit."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The journal's record of one HTTP exchange, already redacted."""

    operation: str
    subject: str
    """What the call was for, such as `message:42`. The apps resolve it."""
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
    """1 for the first attempt. Only reads have more."""


class Limiter(Protocol):
    """Keeps an account within its rate limits. Called in the thread that makes the call."""

    def wait(self, operation: Operation) -> None:
        """Block until the call may start."""
        ...

    def slow_down(self, seconds: float) -> None:
        """Slow the whole account down for this long, as the provider asked."""
        ...


class Recorder(Protocol):
    def record(self, record: CallRecord) -> None: ...


class Transport(Protocol):
    """The only way to call a provider. `providers.gateway.http.client.HttpClient` implements it."""

    def call(self, operation: Operation, request: Request, parse: Callable[[Answer], T]) -> T:
        """Make the call and return the answer as parsed by `parse`.

        Raises `GatewayError` and nothing else. `parse` may raise one as well: the record is
        written after it and has its outcome.
        """
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """The parts of an account that a client needs."""

    base_url: str
    credentials: Mapping[str, Secret]
    options: Mapping[str, object] = field(default_factory=dict)
