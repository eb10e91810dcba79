"""Recent price, success rate and waiting time of an app in a country."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from providers import clock
from providers.models import Account

from .models import Order
from .states import OrderState

S = OrderState

PERIOD: Final = timedelta(days=30)
MAX_ORDERS: Final = 2_000
MAX_RECENT: Final = 4


@dataclass(frozen=True, slots=True)
class PairStats:
    """Figures of one app in one country. `price`: the latest that the provider stated, if any."""

    price: Decimal | None
    orders: int
    share: int | None
    """Percentage of ended orders that got their SMS."""
    wait: timedelta | None

    def total_price(self, count: int) -> Decimal | None:
        return None if self.price is None else self.price * count


def _placed(account: Account, project: str, region: str) -> QuerySet[Order]:
    rows = Order.objects.filter(account=account, project=project, region=region)
    return rows.filter(created_at__gt=clock.now() - PERIOD).exclude(provider_id="")


def last_price(account: Account, project: str, region: str) -> Decimal | None:
    """The latest price that the provider stated for this pair, if any."""
    priced = _placed(account, project, region).exclude(price=None).order_by("-created_at")
    return priced.values_list("price", flat=True).first()


def pair_stats(account: Account, project: str, region: str) -> PairStats:
    rows = _placed(account, project, region)
    times = list(
        rows.exclude(state=S.PENDING)
        .order_by("-created_at")
        .values_list("placed_at", "sms_at")[:MAX_ORDERS]
    )
    waits = [(sms - placed).total_seconds() for placed, sms in times if placed and sms]
    return PairStats(
        price=last_price(account, project, region),
        orders=len(times),
        share=round(100 * len(waits) / len(times)) if times else None,
        wait=timedelta(seconds=median(waits)) if waits else None,
    )


def recent_pairs(user: User) -> list[tuple[str, str]]:
    """The pairs of app and country that this person rented last, newest first."""
    rows = Order.objects.filter(created_by=user).order_by("-created_at")
    return list(dict.fromkeys(rows.values_list("project", "region")[:50]))[:MAX_RECENT]
