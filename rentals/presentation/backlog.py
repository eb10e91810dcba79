"""Orders that are due but not yet placed, for the banners at the top of every page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, Min, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest

from providers import clock
from providers.clock import sql_now

from ..engine.place_source import blocking_orders
from ..models import Order
from ..states import OrderState


def waiting_orders() -> tuple[int, datetime | None]:
    """Number of due orders, and since when the oldest could have been placed.

    Orders of a paused or slowed-down account are left out: the reason is shown elsewhere. So are
    orders that wait for an earlier one of the same app and country.
    """
    # Usually nothing is queued, and this query is far cheaper than the rest.
    if not Order.objects.filter(state=OrderState.QUEUED).exists():
        return 0, None
    now = clock.now()
    due = Order.objects.filter(
        ~Exists(blocking_orders(now)),
        state=OrderState.QUEUED,
        not_before__lte=now,
        account__paused_at=None,
    ).exclude(account__allowance__slow_until__gt=RawSQL(sql_now(), []))  # noqa: S611 - our constant
    same = Order.objects.filter(
        account=OuterRef("account"), project=OuterRef("project"), region=OuterRef("region")
    )
    before = same.exclude(answered_at=None).order_by("-answered_at").values("answered_at")[:1]
    free = Greatest("not_before", Coalesce(Subquery(before), F("not_before")))
    found = due.order_by().annotate(free=free).aggregate(count=Count("pk"), since=Min("free"))
    return found["count"], found["since"]
