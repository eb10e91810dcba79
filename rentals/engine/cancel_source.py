"""Work source of cancels. They are free, so they continue while an account is paused.

Unless the call certainly did nothing, the same job then asks for the order itself, and its answer
decides (GoSMS document, section 4: only a pending order can be cancelled).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from core.index_hints import of_account
from core.redaction import storable
from providers import clock
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.retry import next_try
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import CannotTake, Client, RentsNumbers
from providers.gateway.errors import GatewayError, Refused
from providers.gateway.vocabulary import PAUSING, Cancellation, Outcome, Reason, Rental
from providers.models import Account

from .. import apply_order_state, cancel_requests
from ..models import Cancel, Order
from ..states import CANCEL_OPEN, CANCEL_STATES, CancelState

C = CancelState


@dataclass(frozen=True, slots=True)
class CancelResult:
    """Results of the cancel and of the lookup after it. `error` is that of the cancel."""

    answer: Cancellation | None
    error: GatewayError | None
    order: Rental | None


@dataclass(slots=True)
class CancelJob(Job):
    order_id: int
    provider_id: str

    def run(self, client: Client) -> CancelResult:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        answer, problem = None, None
        try:
            answer = client.cancel_order(self.provider_id)
        except GatewayError as error:
            if error.outcome == Outcome.NOT_DONE or error.reason in PAUSING:
                raise
            problem = error
        return CancelResult(answer, problem, _fetch_order(client, self.provider_id))


def _fetch_order(client: RentsNumbers, provider_id: str) -> Rental | None:
    try:
        return client.fetch_order(provider_id)
    except (GatewayError, CannotTake):
        # Polling asks again later.
        return None


def _due(now: datetime | Moment) -> QuerySet[Cancel]:
    # Repeat the condition of the partial index, or SQLite does not use it.
    open_cancels = Cancel.objects.filter(state__in=sorted(CANCEL_OPEN))
    return open_cancels.filter(state=C.QUEUED, not_before__lte=now)


class CancelSource(ClaimedRowSource):
    name: ClassVar[str] = "cancels"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = False
    never_repeated: ClassVar[bool] = True
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self.cancels: ClaimedRows[Cancel] = ClaimedRows(
            CancelJob,
            lambda: Cancel.objects.filter(claim__isnull=False),
            ClaimStates(
                CANCEL_STATES,
                queued=C.QUEUED,
                claimed=C.CLAIMED,
                in_flight=C.SENDING,
                unknown=C.UNCLEAR,
            ),
            lost_changes=lambda now: {"answered_at": now},
            on_lost=_decide_lost_cancels,
        )
        self.rows = (self.cancels,)
        self._due_accounts = DueAccounts(_due, "order__account__id")

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, clock.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
        due = of_account(_due(now), account.pk, "order__account_id")
        due = due.select_related("order").order_by("pk")
        return [
            CancelJob(
                account.pk,
                f"order:{row.order_id}",
                row.pk,
                now,
                row.order_id,
                row.order.provider_id,
            )
            for row in self.cancels.claim(due[:limit], claim, now)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        for result in results:
            job = _cancel_job(result.job)
            held = self.cancels.held(job, claim)
            if result.error is not None:
                _apply_error(job, held, result.error)
                _apply_late_error(job, self.cancels.given_up(job), result.error)
            elif isinstance(result.value, CancelResult):
                _apply_answer(job, held, self.cancels.given_up(job), result.value)
            else:
                raise TypeError("A cancel answers with CancelResult.")

    def tidy(self, now: datetime) -> None:
        cancel_requests.request_due_cancels(now)


def _decide_lost_cancels(ids: Sequence[int], now: datetime) -> None:
    for order_id in Cancel.objects.filter(pk__in=ids).values_list("order_id", flat=True):
        cancel_requests.let_order_decide(order_id, now)


def _apply_answer(
    job: CancelJob, rows: QuerySet[Cancel], given_up: QuerySet[Cancel], value: CancelResult
) -> None:
    now = clock.now()
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
    changes["words"] = storable(words)
    if state != C.UNCLEAR:
        CANCEL_STATES.move(given_up, state, sources=(C.UNCLEAR,), **changes)
    CANCEL_STATES.move(rows, state, sources=(C.SENDING,), **changes)
    if value.order is None:
        cancel_requests.let_order_decide(job.order_id, now)
    else:
        apply_order_state.apply(job.order_id, value.order, now, from_lookup=True)
    Order.objects.filter(pk=job.order_id).update(changed_at=now)


def _apply_error(job: CancelJob, rows: QuerySet[Cancel], error: GatewayError) -> None:
    now = clock.now()
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    answer = {"reason": error.reason, "words": storable(error.words), "claim": None}
    again = next_try(error, tries, now) if error.outcome == Outcome.NOT_DONE else None
    if again is not None:
        changes = {"tries": again.tries, "not_before": again.not_before, "handed_over_at": None}
        CANCEL_STATES.move(rows, C.QUEUED, sources=(C.SENDING,), **changes, **answer)
    elif error.outcome == Outcome.UNKNOWN:
        CANCEL_STATES.move(rows, C.UNCLEAR, sources=(C.SENDING,), answered_at=now, **answer)
        cancel_requests.let_order_decide(job.order_id, now)
    else:
        state = C.REFUSED if error.outcome == Outcome.REFUSED else C.NOT_DONE
        CANCEL_STATES.move(rows, state, sources=(C.SENDING,), answered_at=now, **answer)
    Order.objects.filter(pk=job.order_id).update(changed_at=now)


def _apply_late_error(job: CancelJob, given_up: QuerySet[Cancel], error: GatewayError) -> None:
    """Settle a cancel that was given up as unclear, by its own late answer."""
    now = clock.now()
    state = {Outcome.REFUSED: C.REFUSED, Outcome.NOT_DONE: C.NOT_DONE}.get(error.outcome)
    if state is not None:
        answer = {"reason": error.reason, "words": storable(error.words), "answered_at": now}
        CANCEL_STATES.move(given_up, state, sources=(C.UNCLEAR,), **answer)
        Order.objects.filter(pk=job.order_id).update(changed_at=now)


def _cancel_job(job: Job) -> CancelJob:
    if not isinstance(job, CancelJob):
        raise TypeError("This source only takes its own jobs.")
    return job
