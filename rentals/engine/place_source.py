"""Work source of orders, which are paid.

Per account, app and country only one order is placed at a time, and none while the outcome of an
earlier one is unknown. So an order that appears in the provider's list afterwards can be identified
as the lost one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from providers import clock
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates, Columns
from providers.engine.due_query import DueAccounts
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import Reason, Rental
from providers.models import Account

from .. import place_orders, placement_results
from ..models import Order
from ..states import ORDER_STATES, OrderState

S = OrderState

UNKNOWN_BLOCKS_FOR: Final = timedelta(minutes=2)
"""How long an order with an unknown outcome blocks others of the same app and country."""


@dataclass(slots=True)
class PlaceJob(Job):
    project: str
    region: str

    def run(self, client: Client) -> Rental:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        return client.place_order(self.project, self.region)


class PlaceSource(ClaimedRowSource):
    name: ClassVar[str] = "orders"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = True
    never_repeated: ClassVar[bool] = True
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self.orders: ClaimedRows[Order] = ClaimedRows(
            PlaceJob,
            lambda: Order.objects.filter(state__in=(S.CLAIMED, S.PLACING)),
            ClaimStates(
                ORDER_STATES,
                queued=S.QUEUED,
                claimed=S.CLAIMED,
                in_flight=S.PLACING,
                unknown=S.UNKNOWN,
            ),
            columns=Columns(changed_at="changed_at"),
            lost_changes=lambda now: {"answered_at": now},
        )
        self.rows = (self.orders,)
        self._queued = DueAccounts(lambda _: Order.objects.filter(state=S.QUEUED, hold=None))

    def _due(self, accounts: Collection[int]) -> QuerySet[Order]:
        now = clock.now()
        due = Order.objects.filter(
            place_orders.is_agreed(),
            state=S.QUEUED,
            hold=None,
            not_before__lte=now,
            account__in=accounts,
        )
        return place_orders.not_expired(due, now).filter(~Exists(blocking_orders(now))).order_by()

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        waiting = self._queued.among(accounts, clock.now())
        if not waiting:
            return set()
        return set(self._due(waiting).values_list("account_id", flat=True).distinct())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
        return [
            PlaceJob(account.pk, f"order:{row.pk}", row.pk, now, row.project, row.region)
            for row in self.orders.claim(self._placeable(account, limit), claim, now)
        ]

    def _placeable(self, account: Account, limit: int) -> Iterator[Order]:
        """The first due order per app and country; ends those whose person may no longer rent."""
        rows: dict[tuple[str, str], Order] = {}
        due = self._due([account.pk]).select_related("created_by").order_by("not_before", "pk")
        for row in due[: 20 * limit]:
            rows.setdefault((row.project, row.region), row)
        for row in list(rows.values())[:limit]:
            if place_orders.may_rent(row.created_by):
                yield row
            else:
                place_orders.refuse_without_permission(row)

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = clock.now()
        for result in results:
            if result.error is not None:
                placement_results.apply_error(
                    self.orders.held(result.job, claim), result.error, now
                )
                placement_results.apply_late_error(
                    self.orders.given_up(result.job), result.error, now
                )
            elif isinstance(result.value, Rental):
                # This also settles a row that was marked as unknown meanwhile.
                row = Order.objects.filter(pk=result.job.row_id)
                placement_results.apply_placed(row, result.value, now)
            else:
                raise TypeError("Placing an order answers with a Rental.")

    def tidy(self, now: datetime) -> None:
        place_orders.end_expired(now)


def blocking_orders(now: datetime) -> QuerySet[Order]:
    """Subquery: orders that keep the outer order from being placed now."""
    same = Order.objects.filter(
        account=OuterRef("account"), project=OuterRef("project"), region=OuterRef("region")
    )
    # By account and state, an index finds the few. Joined by OR, all of the account would be read.
    few = same.filter(state__in=(S.CLAIMED, S.PLACING, S.UNKNOWN))
    return few.filter(~Q(state=S.UNKNOWN) | Q(answered_at__gt=now - UNKNOWN_BLOCKS_FOR))
