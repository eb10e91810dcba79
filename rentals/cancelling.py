"""Cancels as work for the engine. They cost nothing, so they go on while an account is paused.

After anything but a clean yes the order itself is asked, in the same piece of work, and its
answer is believed (GoSMS document, section 4: only a pending order can be cancelled).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.redaction import storable
from providers.engine.due import DueAccounts, Moment
from providers.engine.liveness import living_loops
from providers.engine.sources import Job, Lane, Result, WorkSource
from providers.gateway.client import CannotTake, Client, RentsNumbers
from providers.gateway.errors import GatewayError, Refused
from providers.gateway.vocabulary import PAUSING, Cancellation, Outcome, Reason, Rental
from providers.models import Account

from . import answers, cancels
from .models import Cancel, Order
from .placement_results import BACKOFF, MAX_TRIES
from .placing import ABANDONED_CALL, ABANDONED_CLAIM, GIVEN_UP_CALL
from .states import CANCEL_OPEN, CANCEL_STATES, CancelState

C = CancelState

ASK_SOON: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What the cancel and the question after it came to. `error` is the cancel's."""

    answer: Cancellation | None
    error: GatewayError | None
    order: Rental | None


@dataclass(slots=True)
class CancelJob(Job):
    cancel_id: int
    order_id: int
    claimed_at: datetime
    provider_id: str

    def run(self, client: Client) -> Cancelled:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        answer, problem = None, None
        try:
            answer = client.cancel_order(self.provider_id)
        except GatewayError as error:
            if error.outcome == Outcome.NOT_DONE or error.reason in PAUSING:
                raise
            problem = error
        return Cancelled(answer, problem, _ask(client, self.provider_id))


def _ask(client: RentsNumbers, provider_id: str) -> Rental | None:
    try:
        return client.fetch_order(provider_id)
    except (GatewayError, CannotTake):
        # The poll asks again, and goes on asking.
        return None


def _due(now: datetime | Moment) -> QuerySet[Cancel]:
    # Said as the partial index has it, for SQLite to see that it will do.
    open_ones = Cancel.objects.filter(state__in=sorted(CANCEL_OPEN))
    return open_ones.filter(state=C.QUEUED, not_before__lte=now)


class CancellingSource(WorkSource):
    name: ClassVar[str] = "cancels"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = False
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self._due_accounts = DueAccounts(_due, "order__account__id")

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, timezone.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = timezone.now()
        due = _due(now).filter(order__account=account)
        jobs: list[Job] = []
        for row in due.select_related("order").order_by("pk")[:limit]:
            one = Cancel.objects.filter(pk=row.pk)
            if CANCEL_STATES.move(one, C.CLAIMED, claim=claim, claimed_at=now):
                subject = f"order:{row.order_id}"
                ids = (row.pk, row.order_id, now, row.order.provider_id)
                jobs.append(CancelJob(account.pk, subject, *ids))
        return jobs

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        changes = {"handed_over_at": timezone.now()}
        return [
            job
            for job in jobs
            if CANCEL_STATES.move(_mine(job, claim), C.SENDING, sources=(C.CLAIMED,), **changes)
        ]

    def give_back(self, jobs: Sequence[Job], claim: UUID) -> None:
        for job in jobs:
            CANCEL_STATES.move(
                _mine(job, claim),
                C.QUEUED,
                sources=(C.CLAIMED, C.SENDING),
                claim=None,
                claimed_at=None,
                handed_over_at=None,
            )

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        for result in results:
            job = _own(result.job)
            if result.error is not None:
                _apply_error(job, _mine(job, claim), result.error)
            elif isinstance(result.value, Cancelled):
                _apply_answer(job, _mine(job, claim), result.value)
            else:
                raise TypeError("A cancel answers with Cancelled.")

    def sweep(self) -> None:
        now = timezone.now()
        cancels.ask_for_those_without_sms(now)
        old = Cancel.objects.filter(claim__isnull=False, claimed_at__lt=now - ABANDONED_CLAIM)
        CANCEL_STATES.move(old, C.QUEUED, sources=(C.CLAIMED,), claim=None, claimed_at=None)
        gone = ~Q(claim__in=living_loops()) & Q(handed_over_at__lt=now - ABANDONED_CALL)
        # A loop that lives may have failed to write down what came of it.
        lost = old.filter(gone | Q(handed_over_at__lt=now - GIVEN_UP_CALL), state=C.SENDING)
        for row in lost:
            one = Cancel.objects.filter(pk=row.pk)
            ended = {"reason": Reason.CUT_OFF, "answered_at": now, "claim": None}
            if CANCEL_STATES.move(one, C.UNCLEAR, sources=(C.SENDING,), **ended):
                _ask_order(row.order_id, now)


def _apply_answer(job: CancelJob, rows: QuerySet[Cancel], value: Cancelled) -> None:
    now = timezone.now()
    changes: dict[str, Any] = {"answered_at": now, "claim": None}
    if value.answer is not None:
        state, words = C.ACCEPTED, value.answer.words
        changes["refund"] = value.answer.refund
    elif value.error is not None and value.error.outcome == Outcome.REFUSED:
        state, words = C.REFUSED, value.error.words
        changes["reason"] = value.error.reason
    else:
        state, words = C.UNCLEAR, value.error.words if value.error else ""
        changes["reason"] = value.error.reason if value.error else ""
    CANCEL_STATES.move(rows, state, sources=(C.SENDING,), words=storable(words), **changes)
    if value.order is None:
        _ask_order(job.order_id, now)
    else:
        answers.take_in(job.order_id, value.order, now, whole=True)
    Order.objects.filter(pk=job.order_id).update(changed_at=now)


def _apply_error(job: CancelJob, rows: QuerySet[Cancel], error: GatewayError) -> None:
    now = timezone.now()
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    said = {"reason": error.reason, "words": storable(error.words), "claim": None}
    again = error.outcome == Outcome.NOT_DONE and tries + 1 < MAX_TRIES
    if again or error.reason == Reason.RATE_LIMITED:
        wait = BACKOFF[min(tries, len(BACKOFF) - 1)]
        changes = {"tries": tries + 1, "not_before": now + wait, "handed_over_at": None}
        CANCEL_STATES.move(rows, C.QUEUED, sources=(C.SENDING,), **changes, **said)
    elif error.outcome == Outcome.UNKNOWN:
        CANCEL_STATES.move(rows, C.UNCLEAR, sources=(C.SENDING,), answered_at=now, **said)
        _ask_order(job.order_id, now)
    else:
        state = C.REFUSED if error.outcome == Outcome.REFUSED else C.NOT_DONE
        CANCEL_STATES.move(rows, state, sources=(C.SENDING,), answered_at=now, **said)
    Order.objects.filter(pk=job.order_id).update(changed_at=now)


def _ask_order(order_id: int, now: datetime) -> None:
    """Its own answer decides; asked for soon, whatever its pace is."""
    waiting = Order.objects.filter(pk=order_id, next_poll_at__gt=now + ASK_SOON)
    waiting.update(next_poll_at=now + ASK_SOON)


def _own(job: Job) -> CancelJob:
    if not isinstance(job, CancelJob):
        raise TypeError("This source only takes its own jobs.")
    return job


def _mine(job: Job, claim: UUID) -> QuerySet[Cancel]:
    own = _own(job)
    return Cancel.objects.filter(pk=own.cancel_id, claim=claim, claimed_at=own.claimed_at)
