"""Orders that might be placed now and are not, for the warnings at the top of every page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, Min, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from providers.clock import sql_now

from ..engine.place_source import blocking_orders
from ..models import Order
from ..states import OrderState


def waiting_orders() -> tuple[int, datetime | None]:
    """How many, and since when the oldest might have been placed. Those of a paused account,
    or of one whose provider asked for patience, wait for a reason that is shown elsewhere;
    those of one kind wait for each other."""
    # Most of the time nothing is queued at all, which is told far sooner than the rest.
    if not Order.objects.filter(state=OrderState.QUEUED).exists():
        return 0, None
    now = timezone.now()
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
