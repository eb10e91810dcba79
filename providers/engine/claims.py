"""The promise: a call that must not be repeated is never repeated while its outcome is unknown.

Every work source claims its rows here. A row whose call must not be repeated takes two marks,
and each is committed before the next step:

1. `claim`: queued -> claimed. A loop holds the row and has not begun its call.
2. `mark_in_flight`: claimed -> in flight. The call may have begun from here on.
3. The call, outside any transaction.
4. The source records the result, for the rows that the claim still holds.

`release` queues a row again whose call certainly never began. `sweep` settles the rows of dead
loops: a row with the first mark alone is queued again, one with both becomes unknown.

A call that may be repeated (a look-up, a page of a list, a balance) takes one mark, and a lost
one is queued again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q, QuerySet

from core.states import StateTable

from .. import clock
from ..gateway.vocabulary import Reason
from . import heartbeats
from .work_source import Job, WorkSource

ABANDONED_CLAIM: Final = timedelta(seconds=15)
"""A living loop marks or releases a claimed row within 10 s."""
ABANDONED_CALL: Final = timedelta(seconds=120)
"""Longer than any call takes. A loop without a heartbeat will no longer record it."""
GIVEN_UP_CALL: Final = timedelta(minutes=10)
"""Even a living loop would have recorded the result by now."""

AHEAD: Final = timedelta(seconds=60)
"""No mark can lie further ahead than the clocks of two hosts differ."""

RowT = TypeVar("RowT", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that hold a row's claim."""

    claim: str = "claim"
    claimed_at: str = "claimed_at"
    in_flight_at: str = "handed_over_at"
    changed_at: str = ""
    """Set on every move, for rows whose pages poll for changes."""


@dataclass(frozen=True, slots=True)
class ClaimStates:
    """The states that a claim moves a row through. Without `in_flight` and `unknown` there is
    no second mark: the call may be repeated."""

    table: StateTable[Any]
    queued: str
    claimed: str
    in_flight: str = ""
    unknown: str = ""

    def move(self, rows: QuerySet[Any], target: str, *sources: str, **changes: Any) -> int:
        return self.table.move(rows, target, sources=sources, **changes)


class ClaimedRows(Generic[RowT]):
    """The rows of one model as a work source claims them. Moves are conditional UPDATEs, so
    if two loops want one row, one of them finds nothing to move.

    `job`: the class of the jobs for these rows. `states`: None if a row is free as long as its
    claim is NULL. `held_rows`: all rows that a loop may hold, filtered so that the index that
    finds them applies. `lost_changes`: columns to write beside the state `unknown`.
    `on_lost`: called with the ids of rows that became unknown, in the same transaction.
    """

    def __init__(
        self,
        job: type[Job],
        held_rows: Callable[[], QuerySet[RowT]],
        states: ClaimStates | None = None,
        *,
        columns: Columns = Columns(),
        lost_changes: Callable[[datetime], Mapping[str, Any]] = lambda now: {},
        on_lost: Callable[[Sequence[int], datetime], None] = lambda ids, now: None,
    ) -> None:
        self.job = job
        self.states = states
        self._held_rows = held_rows
        self._columns = columns
        self._lost_changes = lost_changes
        self._on_lost = on_lost

    @property
    def may_repeat(self) -> bool:
        """Whether a lost call may be repeated."""
        return self.states is None or not self.states.in_flight

    # --- claim, mark, release ------------------------------------------------

    def claim(
        self, candidates: Iterable[RowT], loop: UUID, now: datetime, **changes: Any
    ) -> list[RowT]:
        """Claim the candidates that no other loop has claimed meanwhile. Returns those rows."""
        taken = {self._columns.claim: loop, self._columns.claimed_at: now, **changes}
        return [row for row in candidates if self._take(row, now, taken)]

    def _take(self, row: RowT, now: datetime, taken: Mapping[str, Any]) -> bool:
        rows = self._rows().filter(pk=row.pk)
        changes = {**taken, **self._touched(now)}
        if self.states is None:
            return bool(rows.filter(**{f"{self._columns.claim}__isnull": True}).update(**changes))
        return bool(self.states.move(rows, self.states.claimed, self.states.queued, **changes))

    def held(self, job: Job, loop: UUID) -> QuerySet[RowT]:
        """The job's row if this very claim still holds it; empty otherwise."""
        return self._held([job.row_id], loop, job.claimed_at)

    def given_up(self, job: Job) -> QuerySet[RowT]:
        """The job's row if the sweep gave this very call up as unknown; empty otherwise.

        Its own answer may still settle it. A row that anything else has settled stays as it is.
        """
        if self.states is None or self.may_repeat:
            return self._rows().none()
        return self._rows().filter(
            pk=job.row_id,
            state=self.states.unknown,
            reason=Reason.CUT_OFF,
            **{f"{self._columns.claim}__isnull": True, self._columns.claimed_at: job.claimed_at},
        )

    def _held(self, ids: Collection[int], loop: UUID, claimed_at: datetime) -> QuerySet[RowT]:
        rows = self._rows().filter(pk__in=ids, **{self._columns.claim: loop})
        if not self.may_repeat:
            # Distinguishes this claim from an earlier one of the same loop.
            return rows.filter(**{self._columns.claimed_at: claimed_at})
        return rows.filter(state=self.states.claimed) if self.states else rows

    def mark_in_flight(self, jobs: Sequence[Job], loop: UUID) -> list[Job]:
        """Mark rows in flight. Returns the jobs whose call may be made: this claim still holds
        their row, and it was not marked before."""
        now = clock.now()
        ours: list[Job] = []
        for claimed_at, group in _by_claim(jobs).items():
            marked = self._mark([job.row_id for job in group], loop, claimed_at, now)
            ours.extend(job for job in group if job.row_id in marked)
        for job in ours:
            job.marked_at = now
        return ours

    def _mark(
        self, ids: Collection[int], loop: UUID, claimed_at: datetime, now: datetime
    ) -> set[int]:
        return {pk for pk in ids if self._mark_one(self._held([pk], loop, claimed_at), now)}

    def _mark_one(self, row: QuerySet[RowT], now: datetime) -> bool:
        if self.states is None or self.may_repeat:
            # There is no second mark. The age of a lost call counts from here.
            return bool(row.update(**{self._columns.claimed_at: now}))
        changes = {self._columns.in_flight_at: now, **self._touched(now)}
        return bool(self.states.move(row, self.states.in_flight, self.states.claimed, **changes))

    def release(self, jobs: Sequence[Job], loop: UUID) -> None:
        """Queue rows again whose call certainly never began, marked or not."""
        now = clock.now()
        for claimed_at, group in _by_claim(jobs).items():
            self._free(self._held([job.row_id for job in group], loop, claimed_at), now)

    def _free(self, rows: QuerySet[RowT], now: datetime, *, in_flight_too: bool = True) -> None:
        free = {self._columns.claim: None, self._columns.claimed_at: None, **self._touched(now)}
        if self.states is None:
            rows.update(**free)
            return
        sources = [self.states.claimed]
        if not self.may_repeat:
            free[self._columns.in_flight_at] = None
            sources += [self.states.in_flight] if in_flight_too else []
        self.states.move(rows, self.states.queued, *sources, **free)

    # --- rows of dead loops ----------------------------------------------------

    def sweep(self, now: datetime) -> None:
        """Settle rows that a loop claimed and never finished."""
        limit = ABANDONED_CALL if self.may_repeat else ABANDONED_CLAIM
        abandoned = self._held_rows().filter(
            _older_than(self._columns.claimed_at, now - limit, now)
        )
        if not abandoned.exists():
            return
        with transaction.atomic():
            # A slow loop that is still alive finds its claim gone and makes no call.
            self._free(abandoned, now, in_flight_too=False)
            if self.states is not None and not self.may_repeat:
                self._give_up_lost_calls(self.states, abandoned, now)

    def _give_up_lost_calls(
        self, states: ClaimStates, abandoned: QuerySet[RowT], now: datetime
    ) -> None:
        marked_at = self._columns.in_flight_at
        is_owner_alive = heartbeats.is_owner_alive(self._columns.claim, marked_at)
        dead = _older_than(marked_at, now - ABANDONED_CALL, now) & ~is_owner_alive
        given_up = Q(**{f"{marked_at}__lt": now - GIVEN_UP_CALL})
        lost = abandoned.filter(dead | given_up, state=states.in_flight).order_by("pk")
        ids = list(lost.select_for_update().values_list("pk", flat=True))
        if not ids:
            return
        changes = {self._columns.claim: None, "reason": Reason.CUT_OFF, **self._touched(now)}
        rows = self._rows().filter(pk__in=ids)
        states.move(rows, states.unknown, states.in_flight, **changes, **self._lost_changes(now))
        self._on_lost(ids, now)

    def _rows(self) -> QuerySet[RowT]:
        return self._held_rows().model._default_manager.all()

    def _touched(self, now: datetime) -> dict[str, Any]:
        return {self._columns.changed_at: now} if self._columns.changed_at else {}


def _older_than(column: str, moment: datetime, now: datetime) -> Q:
    """Marks from before `moment`, and those that lie ahead because a clock was set back."""
    return Q(**{f"{column}__lt": moment}) | Q(**{f"{column}__gt": now + AHEAD})


def _by_claim(jobs: Sequence[Job]) -> dict[datetime, list[Job]]:
    groups: dict[datetime, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.claimed_at].append(job)
    return groups


class ClaimedRowSource(WorkSource):
    """A work source whose rows are marked, released and swept by `ClaimedRows`."""

    rows: Sequence[ClaimedRows[Any]]
    """One for each kind of job that the source makes."""

    def mark_in_flight(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        return [
            job
            for rows, its_jobs in self._by_rows(jobs)
            for job in rows.mark_in_flight(its_jobs, claim)
        ]

    def release(self, jobs: Sequence[Job], claim: UUID) -> None:
        for rows, its_jobs in self._by_rows(jobs):
            rows.release(its_jobs, claim)

    def still_holds(self, job: Job, claim: UUID) -> bool:
        """Never true of a call that may be repeated: its claim does not distinguish two jobs."""
        return any(
            rows.held(job, claim).exists()
            for rows in self.rows
            if isinstance(job, rows.job) and not rows.may_repeat
        )

    def sweep(self) -> None:
        now = clock.now()
        for rows in self.rows:
            rows.sweep(now)
        self.tidy(now)

    def tidy(self, now: datetime) -> None:
        """Further upkeep that the source does at each sweep."""

    def _by_rows(self, jobs: Sequence[Job]) -> Iterator[tuple[ClaimedRows[Any], list[Job]]]:
        for rows in self.rows:
            its_jobs = [job for job in jobs if isinstance(job, rows.job)]
            if its_jobs:
                yield rows, its_jobs
