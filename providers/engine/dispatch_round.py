"""What a round of the dispatcher works with: accounts, claimed rows and its decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..gateway.call import Login
from ..gateway.client import Client
from ..models import Account
from .bulk_throttle import BulkThrottle
from .work_source import Job


@dataclass
class LeasedAccount:
    """An account whose lease this loop holds."""

    account: Account
    client: type[Client]
    login: Login
    free_at: float = 0.0
    """By the monotonic clock. Before this moment no slot is near enough to claim for."""
    bulk_throttle: BulkThrottle = field(default_factory=BulkThrottle)


@dataclass
class ReservedJob:
    """A claimed row whose slot may still be in the future. Times are by the monotonic clock."""

    slot_at: float
    order: int
    claimed_at: float
    job: Job


@dataclass(frozen=True)
class DispatchRound:
    """The decisions of one round: rows whose slot has come, claims that a newer claim of the same
    row replaced, and jobs that may start."""

    ready: list[ReservedJob]
    superseded: list[ReservedJob]
    to_start: list[Job]
