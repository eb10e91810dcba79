"""The interface between the engine and the apps: a source supplies rows that need a call.

Apps register their sources in `ready()`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import ClassVar
from uuid import UUID

from ..gateway.client import Client
from ..gateway.errors import GatewayError
from ..models import Account


class Lane(IntEnum):
    """The priority of a source. Bulk work never delays the lanes above it."""

    STAFF = 1
    """Codes and single sends: a person is waiting."""
    ORDERS = 2
    """Rent, cancel, check."""
    POLLS = 3
    BULK = 4


@dataclass(slots=True)
class Job(ABC):
    """One call to make. Its source creates it in the loop's thread; a pool thread runs it."""

    account_id: int
    subject: str
    """What the journal links the call to, such as `message:42`."""
    row_id: int
    claimed_at: datetime
    """Identifies this claim of the row, together with the id of the loop."""
    marked_at: datetime | None = field(default=None, init=False)
    """When the row was marked in flight."""
    past: int = field(default=0, init=False)
    """The past of the database in which the call was submitted, see `providers.hold.fence`."""

    @abstractmethod
    def run(self, client: Client) -> object:
        """Make the call without touching the database. Raises `GatewayError` on failure."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended: with a value or an error."""

    job: Job
    value: object = None
    error: GatewayError | None = None
    not_begun: bool = False
    """The call never left this process, so nothing can have happened."""


class WorkSource(ABC):
    """Rows of one app that need a provider call.

    Every method runs in the loop's thread. `claim`, `mark_in_flight` and `release` of one round
    share a transaction, and so do `record` and the journal. The parameter `claim` is the id of
    the calling loop. `providers.engine.claims` implements claim, marks and sweep for every source.
    """

    name: ClassVar[str]
    lane: ClassVar[Lane]
    paid: ClassVar[bool]
    """A paid source is not served while the account is paused."""
    never_repeated: ClassVar[bool]
    """Whether its calls must not be repeated. Their marks raise the fence (`providers.hold`)."""
    clients: ClassVar[type[Client]] = Client
    """The clients whose accounts can have such work. The engine queries no others."""

    @abstractmethod
    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        """Those of `accounts` that have a due row. Called many times a second."""

    @abstractmethod
    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        """Claim at most `limit` due rows."""

    @abstractmethod
    def mark_in_flight(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        """Mark these rows in flight. Returns the jobs whose row this claim still holds.

        Only those calls may be made, and none before the mark is committed.
        """

    @abstractmethod
    def release(self, jobs: Sequence[Job], claim: UUID) -> None:
        """Queue rows again whose call certainly never began, marked or not."""

    @abstractmethod
    def record(self, results: Sequence[Result], claim: UUID) -> None:
        """Write the results of the calls."""

    def still_holds(self, job: Job, claim: UUID) -> bool:
        """Whether this very claim holds the job's row, so that its result belongs there."""
        return False

    @abstractmethod
    def sweep(self) -> None:
        """Settle rows that a dead loop claimed and never finished."""


_sources: dict[str, WorkSource] = {}


def register(source: WorkSource) -> None:
    _sources[source.name] = source


def sources() -> list[WorkSource]:
    """All sources in order of priority."""
    return sorted(_sources.values(), key=lambda source: (source.lane, source.name))
