"""Where the engine's work comes from. Apps register a source in their `ready()`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import ClassVar, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError

from ..gateway.client import Client
from ..gateway.errors import GatewayError
from ..models import Account

DATABASE_AWAY: Final = (OperationalError, InterfaceError)
"""The database cannot be reached, or is locked: the same will work later. Any other error
of it is about what was to be written, and would come again."""


class Lane(IntEnum):
    """What goes first. Bulk never makes those above it wait."""

    STAFF = 1
    """Codes and single sends: somebody waits for it."""
    ORDERS = 2
    """Rent, cancel, check."""
    POLLS = 3
    BULK = 4


@dataclass(slots=True)
class Job(ABC):
    """One call to make. Made by its source in the loop's thread, run in a pool thread."""

    account_id: int
    subject: str
    """What the journal links the call to, as `message:42`."""
    row_id: int
    claimed_at: datetime
    """With the id of the loop, tells this claim of the row from every other one."""
    marked_at: datetime | None = field(default=None, init=False)
    """When it was marked as in flight."""

    @abstractmethod
    def run(self, client: Client) -> object:
        """Make the call. No database in here. Raises a `GatewayError` where it fails."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: a value, or the error it ended in."""

    job: Job
    value: object = None
    error: GatewayError | None = None
    not_begun: bool = False
    """It never left this process, so nothing can have happened."""


class WorkSource(ABC):
    """Rows of one app that want a provider to be called.

    Every method runs in the loop's thread. `claim`, `mark_in_flight` and `release` of one round
    share a transaction, as does `record` with the journal. `claim` is the id of the loop that
    asks. `providers.engine.claims` has the claim, marks and sweep of every source.
    """

    name: ClassVar[str]
    lane: ClassVar[Lane]
    paid: ClassVar[bool]
    """Not served while the account is paused."""
    clients: ClassVar[type[Client]] = Client
    """Those whose accounts can have such work at all; nobody looks for it at the others'."""

    @abstractmethod
    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        """Those of `accounts` that have a row due now. Asked many times a second."""

    @abstractmethod
    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        """Take at most `limit` due rows."""

    @abstractmethod
    def mark_in_flight(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        """Note that these calls are about to be made. Returns those whose row this claim still
        holds; no other call may be made, and none before this is committed."""

    @abstractmethod
    def release(self, jobs: Sequence[Job], claim: UUID) -> None:
        """Put rows back whose call certainly never began, marked or not."""

    @abstractmethod
    def record(self, results: Sequence[Result], claim: UUID) -> None:
        """Write down what came of the calls."""

    @abstractmethod
    def sweep(self) -> None:
        """Settle rows that a loop claimed and never finished, because it died."""


_sources: dict[str, WorkSource] = {}


def register(source: WorkSource) -> None:
    _sources[source.name] = source


def sources() -> list[WorkSource]:
    """All sources, those that go first in front."""
    return sorted(_sources.values(), key=lambda source: (source.lane, source.name))
