"""Results that wait in memory until the database takes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Final

from ..gateway.call import CallRecord
from .work_source import Result, WorkSource
from .worker_pool import Finished

MEMORY_LIMIT: Final = 100_000_000
"""Bytes. If the results that wait would exceed this, no further call is made."""
BYTES_PER_CALL: Final = 32_000
"""Assumed of a call in flight: two bodies as the journal keeps them, and its result."""
PATIENCE: Final = 5
"""Failures after which a unit no longer blocks those behind it."""
RETRY_STUCK_AFTER: Final = 5.0
"""Seconds until a unit is tried again that fails although the database accepts others."""


@dataclass(slots=True, eq=False)
class Unit:
    """Finished calls of one source that are written in one transaction, journal rows included."""

    source: WorkSource
    finished: list[Finished]
    with_results: bool = True
    with_calls: bool = True
    is_reduced: bool = False
    """Whether its journal rows are written without the texts of request and answer."""
    is_doubtful: bool = False
    """Whether an earlier attempt may have been committed although its answer was lost."""
    failures: int = 0
    retry_at: float = 0.0
    """By the monotonic clock."""
    bytes_kept: int = 0
    _measured: int = field(default=0, init=False)

    @property
    def results(self) -> list[Result]:
        return [one.result for one in self.finished] if self.with_results else []

    @property
    def calls(self) -> list[tuple[int, CallRecord]]:
        if not self.with_calls:
            return []
        return [(one.result.job.account_id, call) for one in self.finished for call in one.calls]

    @property
    def subject(self) -> str:
        return self.finished[0].result.job.subject

    def measure(self) -> None:
        """Update `bytes_kept`. Only called while the database is away."""
        for one in self.finished[self._measured :]:
            self.bytes_kept += size_of((one.result.value, one.result.error, one.calls))
        self._measured = len(self.finished)

    def halves(self) -> list[Unit]:
        """Two units instead of one that the database does not accept as a whole, for example
        because it exceeds a timeout. A single result stays as it is."""
        middle = len(self.finished) // 2
        parts = [self.finished[:middle], self.finished[middle:]] if middle else [self.finished]
        return [replace(self, finished=part, bytes_kept=0) for part in parts]

    def parts(self) -> list[Unit]:
        """Smaller units, so that a row that cannot be written takes nothing else with it. Each
        result first, then its journal rows separately, then these without their texts.
        Empty if nothing smaller can be written."""
        fresh = replace(self, is_doubtful=False, failures=0, bytes_kept=0)
        if len(self.finished) > 1:
            return [replace(fresh, finished=[one]) for one in self.finished]
        (one,) = self.finished
        if self.with_results and self.with_calls:
            return [replace(fresh, with_calls=False), replace(fresh, with_results=False)]
        if self.with_results or self.is_reduced:
            return []
        if len(one.calls) > 1:
            return [replace(fresh, finished=[replace(one, calls=[call])]) for call in one.calls]
        return [replace(fresh, is_reduced=True)]


def evidence(unit: Unit) -> Iterable[str]:
    """What is known of results that cannot be written, for the log. It holds no secret: neither
    a text nor a number."""
    for one in unit.finished:
        job, error, value = one.result.job, one.result.error, one.result.value
        if one.result.not_begun:
            yield f"{job.subject}: never called"
            continue
        outcome = f"{error.outcome} ({error.reason})" if error else type(value).__name__
        its_id = getattr(value, "provider_id", "") or getattr(value, "order_id", "")
        at = job.marked_at or job.claimed_at
        yield f"{job.subject}: {outcome} {its_id}".rstrip() + f", called after {at:%F %T}"


def size_of(value: object) -> int:
    """Roughly the memory that a value takes, in bytes."""
    size = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return size + sum(size_of(key) + size_of(one) for key, one in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return size + sum(map(size_of, value))
    if is_dataclass(value):
        return size + sum(size_of(getattr(value, one.name)) for one in fields(value))
    return size + size_of(vars(value)) if isinstance(value, Exception) else size
