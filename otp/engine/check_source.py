"""The engine's work source for checks of codes that a provider made.

Only a pass in the provider's direct answer (SUCCESS, 200 and PASS) verifies a code. A check whose
answer was lost is never repeated automatically.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core.redaction import storable
from providers import clock
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.retry import next_try
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import Client, MakesCodes
from providers.gateway.errors import GatewayError, Refused
from providers.gateway.vocabulary import CheckResult, CodeCheck, Outcome, Reason
from providers.models import Account

from .. import check_code, codes_on_hold, message_sync, sessions
from ..models import Attempt, Session
from ..states import ATTEMPT_STATES, NOT_CHECKED, SESSION_STATES, AttemptState, SessionState

logger = logging.getLogger(__name__)

A = AttemptState
STALE: Final = timedelta(seconds=60)
"""After this the customer has hung up or reads the code again; the answer is no longer needed."""
NEVER_ASKED: Final = "never_asked"


@dataclass(slots=True)
class CheckJob(Job):
    request: CodeCheck | None
    """None if the row could not be read, for example because its key is missing."""

    def run(self, client: Client) -> CheckResult:
        if self.request is None or not isinstance(client, MakesCodes):
            raise Refused(Reason.CANNOT_TAKE)
        return client.check_code(self.request)


def _due(now: datetime | Moment) -> QuerySet[Attempt]:
    return Attempt.objects.filter(state=A.QUEUED, not_before__lte=now, created_at__gt=now - STALE)


class CheckSource(ClaimedRowSource):
    name: ClassVar[str] = "code checks"
    lane: ClassVar[Lane] = Lane.ORDERS
    clients: ClassVar[type[Client]] = MakesCodes
    paid: ClassVar[bool] = False
    never_repeated: ClassVar[bool] = True
    """A pause stops paid calls only. Checks continue, because a code was paid for when sent."""

    def __init__(self) -> None:
        self.checks: ClaimedRows[Attempt] = ClaimedRows(
            CheckJob,
            lambda: Attempt.objects.filter(state__in=(A.CLAIMED, A.SENDING)),
            ClaimStates(
                ATTEMPT_STATES,
                queued=A.QUEUED,
                claimed=A.CLAIMED,
                in_flight=A.SENDING,
                unknown=A.UNKNOWN,
            ),
            lost_changes=lambda now: {"ended_at": now, "code": ""},
            on_lost=_note_lost_checks,
        )
        self.rows = (self.checks,)
        self._due_accounts = DueAccounts(_due)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, clock.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
        due = _due(now).filter(account=account).order_by("not_before", "pk")
        due = due.select_for_update(skip_locked=True, of=("self",))
        found = due.select_related("sent_code__message")[:limit]
        return [
            CheckJob(
                account.pk,
                f"session:{attempt.session_id}",
                attempt.pk,
                now,
                _request_of(attempt),
            )
            for attempt in self.checks.claim(found, claim, now)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        for result in results:
            attempt = (
                Attempt.objects.filter(pk=result.job.row_id)
                .select_related("session", "sent_code", "created_by")
                .get()
            )
            rows = self.checks.held(result.job, claim)
            if result.error is not None:
                _record_error(attempt, rows, result.error)
                _record_late_error(attempt, self.checks.given_up(result.job), result.error)
            elif isinstance(result.value, CheckResult):
                # This also settles a check that has meanwhile been swept to unknown.
                _record_verdict(attempt, result.value)
            else:
                raise TypeError("A check answers with a CheckResult.")

    def tidy(self, now: datetime) -> None:
        # Each step is a transaction of its own and may be repeated. One transaction around all
        # would hold SQLite's write lock while they read.
        _give_up_stale(now)
        sessions.expire()
        message_sync.catch_up()
        codes_on_hold.end_expired()


def _record_verdict(attempt: Attempt, result: CheckResult) -> None:
    ended: dict[str, Any] = {
        "ended_at": clock.now(),
        "claim": None,
        "code": "",
        "words": storable(result.words),
    }
    rows = Attempt.objects.filter(pk=attempt.pk)
    if not ATTEMPT_STATES.move(rows, A.RIGHT if result.passed else A.WRONG, **ended):
        return
    session = attempt.session
    if result.passed:
        check_code.lock_unknown_sends(session.pk)
        verified = check_code.verify(session, attempt.sent_code, attempt.created_by)
        rows.update(too_late=not verified)
        return
    SESSION_STATES.move(
        Session.objects.filter(pk=session.pk),
        SessionState.SENT,
        sources=(SessionState.CHECK_UNKNOWN,),
    )
    check_code.fail_if_no_try_left(session.pk)


def _record_error(attempt: Attempt, rows: QuerySet[Attempt], error: GatewayError) -> None:
    answer: dict[str, Any] = {"reason": str(error.reason), "words": storable(error.words)}
    now = clock.now()
    again = None
    if error.outcome == Outcome.NOT_DONE:
        again = next_try(error, attempt.tries, now)
    if again is not None:
        ATTEMPT_STATES.move(
            rows,
            A.QUEUED,
            sources=(A.SENDING,),
            tries=again.tries,
            not_before=again.not_before,
            claim=None,
            handed_over_at=None,
            **answer,
        )
        return
    target = _FAILED_AS.get(error.outcome, A.UNKNOWN)
    ended = {"ended_at": now, "claim": None, "code": ""}
    if ATTEMPT_STATES.move(rows, target, sources=(A.SENDING,), **ended, **answer):
        _follow_up(attempt, target, error)


def _record_late_error(attempt: Attempt, given_up: QuerySet[Attempt], error: GatewayError) -> None:
    """Settle a check that was given up as unknown, by its own late answer. It is never repeated."""
    target = _FAILED_AS.get(error.outcome)
    if target is None:
        return
    answer = {"reason": str(error.reason), "words": storable(error.words), "code": ""}
    if ATTEMPT_STATES.move(given_up, target, sources=(A.UNKNOWN,), **answer):
        SESSION_STATES.move(
            Session.objects.filter(pk=attempt.session_id),
            SessionState.SENT,
            sources=(SessionState.CHECK_UNKNOWN,),
        )
        _follow_up(attempt, target, error)


_FAILED_AS: Final = {Outcome.NOT_DONE: A.NOT_DONE, Outcome.REFUSED: A.REFUSED}


def _follow_up(attempt: Attempt, target: AttemptState, error: GatewayError) -> None:
    """Move the session as the failed check requires."""
    if target == A.NOT_DONE or (target == A.REFUSED and error.reason in NOT_CHECKED):
        check_code.return_try(attempt.session_id)
    elif target == A.UNKNOWN:
        _note_unknown([attempt.session_id])
    else:
        check_code.fail_if_no_try_left(attempt.session_id)


def _note_unknown(session_ids: Iterable[int]) -> None:
    SESSION_STATES.move(Session.objects.filter(pk__in=session_ids), SessionState.CHECK_UNKNOWN)


def _give_up_stale(now: datetime) -> None:
    stale = Attempt.objects.filter(state=A.QUEUED, created_at__lte=now - STALE)
    for pk, session_id in stale.values_list("pk", "session_id"):
        with transaction.atomic():
            moved = ATTEMPT_STATES.move(
                Attempt.objects.filter(pk=pk),
                A.NOT_DONE,
                sources=(A.QUEUED,),
                reason=NEVER_ASKED,
                ended_at=now,
                code="",
            )
            if moved:
                check_code.return_try(session_id)


def _note_lost_checks(ids: Sequence[int], now: datetime) -> None:
    _note_unknown(Attempt.objects.filter(pk__in=ids).values_list("session_id", flat=True))


def _request_of(attempt: Attempt) -> CodeCheck | None:
    """The check to make, or None for an unreadable row, whose job then ends as refused.

    One unreadable row must not stop the loop.
    """
    try:
        message = attempt.sent_code.message
        return CodeCheck(
            session_id=message.provider_id,
            code=attempt.code.reveal() if attempt.code else "",
            reference=message.reference,
        )
    except Exception as problem:  # noqa: BLE001 - any fault of this row
        logger.error("Check %s cannot be read: %s", attempt.pk, type(problem).__name__)
        return None
