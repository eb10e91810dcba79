"""Write the results of calls. Results that cannot be written yet are kept and tried again."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from .. import accounts, journal, rate_limits
from ..gateway.call import CallRecord
from ..gateway.vocabulary import Outcome, Reason
from ..models import Account
from . import past_guard
from .dispatch_round import LeasedAccount
from .work_source import DATABASE_AWAY, Result, WorkSource
from .worker_pool import Finished

logger = logging.getLogger(__name__)

UNCOUNTED_REFUSALS = frozenset({Reason.CANNOT_TAKE, Reason.NO_NUMBER_AVAILABLE})
"""Refusals that say nothing about the account: our own client's, and no number available."""


class ResultWriter:
    """Collects results and writes them. Only the loop's thread uses it."""

    def __init__(self, claim: UUID) -> None:
        self._claim = claim
        self._results: list[Finished] = []
        self._calls: list[tuple[int, CallRecord]] = []
        """Journal rows that could not be written in the transaction of their results."""
        self._slowed: set[int] = set()

    @property
    def is_empty(self) -> bool:
        return not self._results and not self._calls

    def add(self, finished: Finished) -> None:
        self._results.append(finished)

    def note_slowdown(self, account_id: int) -> None:
        self._slowed.add(account_id)

    def write(self, served: Mapping[int, LeasedAccount]) -> int:
        """Write results with their journal rows, one transaction per source. Returns the number
        of results.

        A loop that is killed between two transactions leaves no journal row of a result that is
        not recorded.
        """
        self._results, orphans = past_guard.set_aside(self._results, self._claim)
        for _, call in orphans:
            logger.error("A call of another past has no row any more: %s", call.operation)
        self._calls += orphans
        by_source: dict[str, list[Finished]] = defaultdict(list)
        for finished in self._results:
            by_source[finished.source.name].append(finished)
        for group in by_source.values():
            self._write_group(group[0].source, group, served)
        self._write_calls()
        return sum(map(len, by_source.values()))

    def _write_group(
        self, source: WorkSource, group: list[Finished], served: Mapping[int, LeasedAccount]
    ) -> None:
        results = [finished.result for finished in group]
        calls = [
            (finished.result.job.account_id, call) for finished in group for call in finished.calls
        ]
        try:
            with transaction.atomic():
                self._write_results(source, results, served)
                journal.write(calls)
        except DATABASE_AWAY:
            raise
        except Exception:
            logger.exception("The results of %s could not be recorded.", source.name)
            self._write_one_by_one(source, results, served)
            self._calls += calls
        done = {id(finished) for finished in group}
        self._results = [kept for kept in self._results if id(kept) not in done]

    def _write_calls(self) -> None:
        """Write journal rows that could not be written with their results."""
        calls, self._calls = self._calls, []
        try:
            journal.write(calls)
        except DATABASE_AWAY:
            self._calls = calls
            raise
        except Exception:
            logger.exception("The journal could not be written at once.")
            self._write_call_by_call(calls)

    def _write_call_by_call(self, calls: Sequence[tuple[int, CallRecord]]) -> None:
        for call in calls:
            try:
                journal.write([call])
            except DATABASE_AWAY:
                raise
            except Exception:
                logger.exception("A journal row of %s could not be written.", call[1].subject)

    def _write_one_by_one(
        self, source: WorkSource, results: Sequence[Result], served: Mapping[int, LeasedAccount]
    ) -> None:
        """Write results one by one, so that a faulty one does not block the others.

        Its row stays marked in flight and becomes unknown, so its call is never repeated.
        """
        for result in results:
            try:
                with transaction.atomic():
                    self._write_results(source, [result], served)
            except DATABASE_AWAY:
                raise
            except Exception:
                logger.exception("%s could not be recorded.", result.job.subject)

    def _write_results(
        self, source: WorkSource, results: Sequence[Result], served: Mapping[int, LeasedAccount]
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
            accounts.record_refusal(account, error.words)
