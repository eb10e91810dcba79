"""Write the results of calls. Results that cannot be written yet are kept and tried again.

A result and its journal rows are written in one transaction. What happens if that fails depends
on the error (`database_errors`):

1. It concerns a row: the results are written one by one. A result that still fails is logged,
   and its row becomes unknown by the sweep, so its call is never repeated. Its journal rows are
   written separately, if necessary without their texts.
2. Any other error of the database: the results stay in memory in their order. The commit may
   have succeeded although its answer was lost. Results and journal rows share a transaction, so
   the journal shows before the next attempt.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from .. import accounts, journal, rate_limits
from ..gateway.vocabulary import Outcome, Reason
from ..models import Account
from . import heartbeats, past_guard
from .database_errors import concerns_row, sqlstate_of
from .dispatch_round import LeasedAccount
from .unwritten_results import (
    BYTES_PER_CALL,
    MEMORY_LIMIT,
    PATIENCE,
    RETRY_STUCK_AFTER,
    Unit,
    evidence,
)
from .work_source import Result, WorkSource
from .worker_pool import Finished

logger = logging.getLogger(__name__)

UNCOUNTED_REFUSALS = frozenset({Reason.CANNOT_TAKE, Reason.NO_NUMBER_AVAILABLE})
"""Refusals that say nothing about the account: our own client's, and no number available."""
LOG_AFTER = 10.0
"""Seconds that a stopping loop waits for the database before it logs what it could not write."""


class ResultWriter:
    """Collects results and writes them. Only the loop's thread uses it."""

    def __init__(self, claim: UUID) -> None:
        self._claim = claim
        self._units: list[Unit] = []
        self._slowed: set[int] = set()
        self._was_full = False
        self._logged: dict[int, Finished] = {}
        """By id. Kept, so that no other one gets the same id."""
        self.unwritable = 0
        """Results and journal rows that the database refused permanently."""

    @property
    def is_empty(self) -> bool:
        return not self._units

    def has_results_of(self, account_id: int) -> bool:
        """Whether anything of this account is still to be written."""
        return any(
            one.result.job.account_id == account_id for unit in self._units for one in unit.finished
        )

    def add(self, finished: Finished) -> None:
        for unit in reversed(self._units):
            if unit.source is finished.source and not unit.is_doubtful:
                unit.finished.append(finished)
                return
        self._units.append(Unit(finished.source, [finished]))

    def note_slowdown(self, account_id: int) -> None:
        self._slowed.add(account_id)

    def is_full(self, in_flight: int) -> bool:
        """Whether the results in memory, with those of the calls in flight, reach the limit."""
        kept = sum(unit.bytes_kept for unit in self._units)
        full = kept > 0 and kept + in_flight * BYTES_PER_CALL > MEMORY_LIMIT
        if full and not self._was_full:
            logger.error("No more calls are made until the results in memory are written.")
        self._was_full = full
        return full

    def write(self, served: Mapping[int, LeasedAccount]) -> int:
        """Write what waits, one transaction per source. Returns the number of results written.

        Raises the database's error if it accepts nothing.
        """
        self._leave_other_pasts()
        waiting, kept, written = deque(self._units), list[Unit](), 0
        stuck: dict[Unit, Exception] = {}
        while waiting:
            unit = waiting.popleft()
            if unit.retry_at > time.monotonic():
                kept.append(unit)
                continue
            try:
                self._write_unit(unit, served)
                written += len(unit.finished)
            except Exception as error:  # noqa: BLE001 - the rule decides about each kind
                if concerns_row(error):
                    waiting.extendleft(reversed(self._split(unit, error)))
                else:
                    kept.append(unit)
                    stuck[unit] = error
                    self._units = [*kept, *waiting]
                    self._note_failure(unit, error)
            self._units = [*kept, *waiting]
        if stuck:
            self._set_aside(stuck, is_database_there=bool(written))
        return written

    def _leave_other_pasts(self) -> None:
        """Keep only the calls of results from another past, whose rows are not known any more."""
        for unit in [one for one in self._units if one.with_results]:
            kept, orphans = past_guard.set_aside(unit.finished, self._claim)
            if not orphans and len(kept) == len(unit.finished):
                continue
            for _, call in orphans:
                logger.error("A call of another past has no row any more: %s", call.operation)
            left = {id(one) for one in kept}
            gone = [
                replace(one, calls=[replace(call, subject="") for call in one.calls])
                for one in unit.finished
                if id(one) not in left
            ]
            unit.finished[:] = kept
            self._units.append(Unit(unit.source, gone, with_results=False))
        self._units = [unit for unit in self._units if unit.finished]

    def _note_failure(self, unit: Unit, error: Exception) -> None:
        """Raise the error, unless the unit has failed so often that the others may not wait."""
        for one in self._units:
            one.measure()
        unit.failures += 1
        if unit.failures < PATIENCE:
            raise error

    def _set_aside(self, stuck: Mapping[Unit, Exception], *, is_database_there: bool) -> None:
        """Try these later and in smaller units, if the database accepts others."""
        error = next(iter(stuck.values()))
        if not (is_database_there or self._database_accepts_writes()):
            raise error
        logger.error("Results are kept that the database does not accept: %s", _kind_of(error))
        for unit in stuck:
            unit.retry_at = time.monotonic() + RETRY_STUCK_AFTER
        self._units = [
            part for unit in self._units for part in (unit.halves() if unit in stuck else [unit])
        ]

    def _database_accepts_writes(self) -> bool:
        try:
            heartbeats.touch(self._claim)
        except Exception:  # noqa: BLE001 - whatever it is, the database does not take it
            return False
        return True

    def _write_unit(self, unit: Unit, served: Mapping[int, LeasedAccount]) -> None:
        calls = unit.calls
        if unit.is_doubtful and journal.is_written(calls):
            return
        unit.is_doubtful = True
        with transaction.atomic():
            if unit.with_results:
                self._write_results(unit.source, unit.results, served)
            journal.write([journal.reduced(call) for call in calls] if unit.is_reduced else calls)

    def _split(self, unit: Unit, error: Exception) -> list[Unit]:
        """The smaller units to write instead. What cannot be written is logged and counted."""
        what = "results" if unit.with_results else "journal rows"
        # Only the places in the code: the text of the error may quote a row.
        places = "".join(traceback.format_tb(error.__traceback__))
        logger.error(
            "%s of %s could not be written: %s\n%s",
            *(what.capitalize(), unit.source.name, _kind_of(error), places),
        )
        parts = unit.parts()
        if not unit.with_calls or (not unit.with_results and not parts):
            self.unwritable += 1
            for line in evidence(unit):
                logger.error("Not in the database, because it refuses these %s: %s", what, line)
        return parts

    def log_while_stopping(self, seconds: float) -> None:
        """Log what is known of unwritten results, each once. A stop of the whole portal ends this
        process before the database may be back."""
        if seconds < LOG_AFTER:
            return
        for unit in self._units:
            for one, line in zip(unit.finished, evidence(unit), strict=True):
                if id(one) not in self._logged:
                    self._logged[id(one)] = one
                    logger.error("Not yet in the database, while the engine stops: %s", line)

    def log_unwritten(self) -> None:
        """Log what is known of the results that a stopping loop leaves unwritten."""
        for unit in self._units:
            for line in evidence(unit):
                logger.error("Not in the database, because it was away too long: %s", line)

    def _write_results(
        self, source: WorkSource, results: list[Result], served: Mapping[int, LeasedAccount]
    ) -> None:
        not_begun = [result.job for result in results if result.not_begun]
        if not_begun:
            source.release(not_begun, self._claim)
        answered = [result for result in results if not result.not_begun]
        if answered:
            source.record(answered, self._claim)
            for result in answered:
                its = served.get(result.job.account_id)
                if its is not None:
                    self._update_account(result, its.account, source)

    def _update_account(self, result: Result, account: Account, source: WorkSource) -> None:
        """Apply a result to the account: pause it, count a refusal or end a slowdown."""
        error = result.error
        limited = error is not None and error.reason == Reason.RATE_LIMITED
        if account.pk in self._slowed and not limited:
            self._slowed.discard(account.pk)
            rate_limits.record_answer(account)
        if error is None:
            if source.paid:
                accounts.record_success(account)
        elif accounts.should_pause(account, error):
            accounts.pause(account, error.reason, error.words)
        elif (
            source.paid
            and error.outcome == Outcome.REFUSED
            and error.reason not in UNCOUNTED_REFUSALS
        ):
            accounts.record_refusal(account, error.words, error.reason)


def _kind_of(error: Exception) -> str:
    return f"{type(error).__name__} {sqlstate_of(error)}".rstrip()
