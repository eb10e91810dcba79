"""Writing down what came of the calls. What cannot be written yet is kept and tried again."""

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
from .dispatcher import LeasedAccount
from .work_source import DATABASE_AWAY, Result, WorkSource
from .worker_pool import Finished

logger = logging.getLogger(__name__)

UNCOUNTED = frozenset({Reason.CANNOT_TAKE, Reason.NO_NUMBER_AVAILABLE})
"""Refusals that say nothing against the account: our own client's, and an empty shelf."""


class ResultWriter:
    """Used by the loop's thread alone."""

    def __init__(self, claim: UUID) -> None:
        self._claim = claim
        self._results: list[Finished] = []
        self._calls: list[tuple[int, CallRecord]] = []
        self._slowed: set[int] = set()

    @property
    def is_empty(self) -> bool:
        return not self._results and not self._calls

    def add(self, finished: Finished) -> None:
        self._results.append(finished)
        account_id = finished.result.job.account_id
        self._calls.extend((account_id, call) for call in finished.calls)

    def slowed(self, account_id: int) -> None:
        self._slowed.add(account_id)

    def write(self, served: Mapping[int, LeasedAccount]) -> int:
        """Write results, then the journal, in one transaction per source."""
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
        calls = self._calls
        try:
            with transaction.atomic():
                self._write_results(source, results, served)
                journal.write(calls)
            self._calls = []
        except DATABASE_AWAY:
            raise
        except Exception:
            logger.exception("The results of %s could not be recorded.", source.name)
            self._write_one_by_one(source, results, served)
        done = {id(finished) for finished in group}
        self._results = [kept for kept in self._results if id(kept) not in done]

    def _write_calls(self) -> None:
        """Those that no result stood beside, or that could not be written with theirs."""
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
        """One result that cannot be written must not keep the others from it. Its row is
        left as being sent, and ends as unknown: never repeated."""
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
        handed_back = [result.job for result in results if result.handed_back]
        if handed_back:
            source.release(handed_back, self._claim)
        answered = [result for result in results if not result.handed_back]
        if answered:
            source.record(answered, self._claim)
            for result in answered:
                its = served.get(result.job.account_id)
                if its is not None:
                    self._note(result, its.account, source)

    def _note(self, result: Result, account: Account, source: WorkSource) -> None:
        """What a result means for the whole account: it may pause, or stop being slow."""
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
        elif source.paid and error.outcome == Outcome.REFUSED and error.reason not in UNCOUNTED:
            accounts.record_refusal(account, error.words)
