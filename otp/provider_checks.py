"""Checks of codes that a provider made, as work for the engine. Only SUCCESS, 200 and PASS in
its direct answer verify; a check whose answer was lost is never repeated by itself."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from core.redaction import storable
from providers.engine.due import DueAccounts, Moment
from providers.engine.liveness import living_loops
from providers.engine.sources import Job, Lane, Result, WorkSource
from providers.gateway.client import Client, MakesCodes
from providers.gateway.errors import GatewayError, Refused
from providers.gateway.vocabulary import CheckResult, CodeCheck, Outcome, Reason
from providers.models import Account

from . import checking, following, sessions
from .models import Attempt, Session
from .states import (
    ATTEMPT_STATES,
    NOT_LOOKED_AT,
    SESSION_STATES,
    AttemptState,
    SessionState,
)

logger = logging.getLogger(__name__)

A = AttemptState
MAX_TRIES: Final = 3
"""How often a check may turn out not to have been made before it is given up."""
BACKOFF: Final = timedelta(seconds=2)
STALE: Final = timedelta(seconds=60)
"""Nobody waits for the answer any more; the customer has hung up or reads it out again."""
ABANDONED_CLAIM: Final = timedelta(seconds=15)
ABANDONED_CALL: Final = timedelta(seconds=120)
GIVEN_UP_CALL: Final = timedelta(minutes=10)
"""As for messages: by then even a loop that lives would have recorded it."""
NEVER_ASKED: Final = "never_asked"


@dataclass(slots=True)
class CheckJob(Job):
    attempt_id: int
    claimed_at: datetime
    request: CodeCheck | None
    """None where the row could not be read, for example for want of a key."""

    def run(self, client: Client) -> CheckResult:
        if self.request is None or not isinstance(client, MakesCodes):
            raise Refused(Reason.CANNOT_TAKE)
        return client.check_code(self.request)


def _due(now: datetime | Moment) -> QuerySet[Attempt]:
    return Attempt.objects.filter(state=A.QUEUED, not_before__lte=now, created_at__gt=now - STALE)


class CheckSource(WorkSource):
    name: ClassVar[str] = "code checks"
    lane: ClassVar[Lane] = Lane.ORDERS
    clients: ClassVar[type[Client]] = MakesCodes
    paid: ClassVar[bool] = False
    """A pause stops what costs money. The customer with the code in hand is served: it was
    paid for when it was sent."""

    def __init__(self) -> None:
        self._due_accounts = DueAccounts(_due)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, timezone.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        due = _due(timezone.now()).filter(account=account).order_by("not_before", "pk")
        found = due.select_for_update(skip_locked=True, of=("self",)).select_related(
            "sent_code__message"
        )[:limit]
        jobs: list[Job] = []
        for attempt in found:
            now = timezone.now()
            moved = ATTEMPT_STATES.move(
                Attempt.objects.filter(pk=attempt.pk), A.CLAIMED, claim=claim, claimed_at=now
            )
            if moved:
                subject = f"session:{attempt.session_id}"
                request = _request_of(attempt)
                jobs.append(CheckJob(account.pk, subject, attempt.pk, now, request))
        return jobs

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        now = timezone.now()
        return [
            job
            for job in jobs
            if ATTEMPT_STATES.move(
                _mine(job, claim), A.SENDING, sources=(A.CLAIMED,), handed_over_at=now
            )
        ]

    def give_back(self, jobs: Sequence[Job], claim: UUID) -> None:
        for job in jobs:
            ATTEMPT_STATES.move(
                _mine(job, claim),
                A.QUEUED,
                # Handed over, but its call was never begun: as good as not claimed.
                sources=(A.CLAIMED, A.SENDING),
                claim=None,
                claimed_at=None,
                handed_over_at=None,
            )

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        for result in results:
            attempt = (
                Attempt.objects.filter(pk=_own(result.job).attempt_id)
                .select_related("session", "sent_code", "created_by")
                .get()
            )
            rows = _mine(result.job, claim)
            if result.error is not None:
                _record_error(attempt, rows, result.error)
            elif isinstance(result.value, CheckResult):
                # One that was given up as unknown meanwhile is settled by this, too.
                _record_verdict(attempt, result.value)
            else:
                raise TypeError("A check answers with a CheckResult.")

    def sweep(self) -> None:
        now = timezone.now()
        with transaction.atomic():
            _give_up_stale(now)
            _give_up_abandoned(now)
            sessions.expire()
            following.catch_up()


def _record_verdict(attempt: Attempt, result: CheckResult) -> None:
    ended: dict[str, Any] = {
        "ended_at": timezone.now(),
        "claim": None,
        "code": "",
        "words": storable(result.words),
    }
    rows = Attempt.objects.filter(pk=attempt.pk)
    if not ATTEMPT_STATES.move(rows, A.RIGHT if result.passed else A.WRONG, **ended):
        return
    session = attempt.session
    if result.passed:
        checking.lock_unknown_sends(session.pk)
        verified = checking.verify(session, attempt.sent_code, attempt.created_by)
        rows.update(too_late=not verified)
        return
    SESSION_STATES.move(
        Session.objects.filter(pk=session.pk),
        SessionState.SENT,
        sources=(SessionState.CHECK_UNKNOWN,),
    )
    checking.fail_if_used_up(session.pk)


def _record_error(attempt: Attempt, rows: QuerySet[Attempt], error: GatewayError) -> None:
    said: dict[str, Any] = {"reason": str(error.reason), "words": storable(error.words)}
    if error.outcome == Outcome.NOT_DONE and attempt.tries + 1 < MAX_TRIES:
        counted = 0 if error.reason == Reason.RATE_LIMITED else 1
        ATTEMPT_STATES.move(
            rows,
            A.QUEUED,
            sources=(A.SENDING,),
            tries=F("tries") + counted,
            not_before=timezone.now() + BACKOFF * counted,
            claim=None,
            handed_over_at=None,
            **said,
        )
        return
    target = {
        Outcome.NOT_DONE: A.NOT_DONE,
        Outcome.REFUSED: A.REFUSED,
    }.get(error.outcome, A.UNKNOWN)
    ended = {"ended_at": timezone.now(), "claim": None, "code": ""}
    if not ATTEMPT_STATES.move(rows, target, sources=(A.SENDING,), **ended, **said):
        return
    if target == A.NOT_DONE or (target == A.REFUSED and error.reason in NOT_LOOKED_AT):
        checking.give_try_back(attempt.session_id)
    elif target == A.UNKNOWN:
        _note_unknown([attempt.session_id])
    else:
        checking.fail_if_used_up(attempt.session_id)


def _note_unknown(session_ids: Collection[int]) -> None:
    SESSION_STATES.move(Session.objects.filter(pk__in=session_ids), SessionState.CHECK_UNKNOWN)


def _give_up_stale(now: datetime) -> None:
    stale = Attempt.objects.filter(state=A.QUEUED, created_at__lte=now - STALE)
    for pk, session_id in stale.values_list("pk", "session_id"):
        moved = ATTEMPT_STATES.move(
            Attempt.objects.filter(pk=pk),
            A.NOT_DONE,
            sources=(A.QUEUED,),
            reason=NEVER_ASKED,
            ended_at=now,
            code="",
        )
        if moved:
            checking.give_try_back(session_id)


def _give_up_abandoned(now: datetime) -> None:
    abandoned = Attempt.objects.filter(claimed_at__lt=now - ABANDONED_CLAIM)
    if not abandoned.filter(state__in=(A.CLAIMED, A.SENDING)).exists():
        return
    ATTEMPT_STATES.move(abandoned, A.QUEUED, sources=(A.CLAIMED,), claim=None, claimed_at=None)
    dead = abandoned.filter(handed_over_at__lt=now - ABANDONED_CALL).exclude(
        claim__in=living_loops()
    )
    lost = dead | abandoned.filter(handed_over_at__lt=now - GIVEN_UP_CALL)
    ids = list(lost.filter(state=A.SENDING).values_list("pk", "session_id"))
    ATTEMPT_STATES.move(
        Attempt.objects.filter(pk__in=[pk for pk, _ in ids]),
        A.UNKNOWN,
        sources=(A.SENDING,),
        reason=Reason.CUT_OFF,
        ended_at=now,
        claim=None,
        code="",
    )
    _note_unknown([session_id for _, session_id in ids])


def _request_of(attempt: Attempt) -> CodeCheck | None:
    """One row that cannot be read must not stop the loop; its job ends refused."""
    try:
        message = attempt.sent_code.message
        return CodeCheck(
            session_id=message.provider_id,
            code=attempt.code.reveal() if attempt.code else "",
            reference=message.reference,
        )
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with this row
        logger.error("Check %s cannot be read: %s", attempt.pk, type(problem).__name__)
        return None


def _own(job: Job) -> CheckJob:
    if not isinstance(job, CheckJob):
        raise TypeError("This source only takes its own jobs.")
    return job


def _mine(job: Job, claim: UUID) -> QuerySet[Attempt]:
    own = _own(job)
    return Attempt.objects.filter(pk=own.attempt_id, claim=claim, claimed_at=own.claimed_at)
