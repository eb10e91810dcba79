"""Orders as paid work for the engine.

Of one account, app and country only one order is being placed at a time, and none while the
outcome of an earlier one is looked for: so an order that turns up in the provider's list
afterwards can be told to be the one that was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from providers.engine.due import DueAccounts
from providers.engine.liveness import living_loops
from providers.engine.sources import Job, Lane, Result, WorkSource
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import Reason, Rental
from providers.models import Account

from . import orders, placement_results
from .models import Order
from .states import ORDER_STATES, OrderState

S = OrderState

ABANDONED_CLAIM: Final = timedelta(seconds=15)
ABANDONED_CALL: Final = timedelta(seconds=120)
GIVEN_UP_CALL: Final = timedelta(minutes=10)
SETTLE: Final = timedelta(minutes=2)
"""So long an order whose outcome is unknown holds back others of its kind."""


@dataclass(slots=True)
class PlaceJob(Job):
    order_id: int
    claimed_at: datetime
    project: str
    region: str

    def run(self, client: Client) -> Rental:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        return client.place_order(self.project, self.region)


class PlacingSource(WorkSource):
    name: ClassVar[str] = "orders"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = True
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self._queued = DueAccounts(lambda _: Order.objects.filter(state=S.QUEUED))

    def _due(self, accounts: Collection[int]) -> QuerySet[Order]:
        now = timezone.now()
        due = Order.objects.filter(state=S.QUEUED, not_before__lte=now, account__in=accounts)
        return orders.not_too_old(due, now).filter(~Exists(in_the_way(now))).order_by()

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        waiting = self._queued.among(accounts, timezone.now())
        if not waiting:
            return set()
        return set(self._due(waiting).values_list("account_id", flat=True).distinct())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        rows: dict[tuple[str, str], Order] = {}
        due = self._due([account.pk]).select_related("created_by").order_by("not_before", "pk")
        for row in due[: 20 * limit]:
            rows.setdefault((row.project, row.region), row)
        now = timezone.now()
        jobs: list[Job] = []
        for row in list(rows.values())[:limit]:
            if not orders.may_rent(row.created_by):
                orders.refuse_for_want_of_rights(row)
                continue
            moved = ORDER_STATES.move(
                Order.objects.filter(pk=row.pk), S.CLAIMED, claim=claim, claimed_at=now
            )
            if moved:
                subject = f"order:{row.pk}"
                jobs.append(PlaceJob(account.pk, subject, row.pk, now, row.project, row.region))
        return jobs

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        now = timezone.now()
        changes = {"handed_over_at": now, "changed_at": now}
        return [
            job
            for job in jobs
            if ORDER_STATES.move(_mine(job, claim), S.PLACING, sources=(S.CLAIMED,), **changes)
        ]

    def give_back(self, jobs: Sequence[Job], claim: UUID) -> None:
        for job in jobs:
            ORDER_STATES.move(
                _mine(job, claim),
                S.QUEUED,
                # Handed over, but its call was never begun: that is as good as not claimed.
                sources=(S.CLAIMED, S.PLACING),
                claim=None,
                claimed_at=None,
                handed_over_at=None,
                changed_at=timezone.now(),
            )

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = timezone.now()
        for result in results:
            if result.error is not None:
                placement_results.apply_error(_mine(result.job, claim), result.error, now)
            elif isinstance(result.value, Rental):
                # A row that was given up as unknown meanwhile is settled by this, too.
                row = Order.objects.filter(pk=_own(result.job).order_id)
                placement_results.apply_placed(row, result.value, now)
            else:
                raise TypeError("Placing an order answers with a Rental.")

    def sweep(self) -> None:
        now = timezone.now()
        orders.put_aside_what_is_too_old(now)
        abandoned = Order.objects.filter(
            state__in=(S.CLAIMED, S.PLACING), claimed_at__lt=now - ABANDONED_CLAIM
        )
        if not abandoned.exists():
            return
        ORDER_STATES.move(
            abandoned, S.QUEUED, sources=(S.CLAIMED,), claim=None, claimed_at=None, changed_at=now
        )
        gone = ~Q(claim__in=living_loops()) & Q(handed_over_at__lt=now - ABANDONED_CALL)
        ORDER_STATES.move(
            abandoned.filter(gone | Q(handed_over_at__lt=now - GIVEN_UP_CALL)),
            S.UNKNOWN,
            sources=(S.PLACING,),
            reason=Reason.CUT_OFF,
            answered_at=now,
            claim=None,
            changed_at=now,
        )


def in_the_way(now: datetime) -> QuerySet[Order]:
    same = Order.objects.filter(
        account=OuterRef("account"), project=OuterRef("project"), region=OuterRef("region")
    )
    under_way = Q(state__in=(S.CLAIMED, S.PLACING))
    return same.filter(under_way | Q(state=S.UNKNOWN, answered_at__gt=now - SETTLE))


def _own(job: Job) -> PlaceJob:
    if not isinstance(job, PlaceJob):
        raise TypeError("This source only takes its own jobs.")
    return job


def _mine(job: Job, claim: UUID) -> QuerySet[Order]:
    own = _own(job)
    return Order.objects.filter(pk=own.order_id, claim=claim, claimed_at=own.claimed_at)
