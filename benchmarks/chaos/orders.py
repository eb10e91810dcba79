"""Rented numbers: orders, some of which never get an SMS, and cancels."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import count

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from providers.models import Account
from rentals.cancel_requests import request_cancel
from rentals.models import Cancel, Order
from rentals.place_orders import RentRequest, place
from rentals.states import CANCEL_OPEN, OrderState

from .accounts import NEVER_AN_SMS, PROJECTS, regions

SHARE_WITHOUT_SMS = 0.5
SHARE_OF_TIMED_CANCELS = 0.1
"""Orders that the portal cancels automatically after a minute without an SMS."""
SHARE_OF_REPLACEMENTS = 0.25
"""Cancels after which the portal rents another number."""


class Orders:
    """Places and cancels orders.

    Each order has its own pair of app and country at its account, shared at most with its
    replacement. An entry of the sandbox's book thus belongs to one row.
    """

    def __init__(self, by: User, chance: random.Random) -> None:
        self._by = by
        self._chance = chance
        self._serial = count(1)
        self._regions: dict[str, Iterator[str]] = defaultdict(lambda: iter(regions()))

    def place(self, account: Account, number: int) -> None:
        for _ in range(number):
            project = NEVER_AN_SMS
            if self._chance.random() >= SHARE_WITHOUT_SMS:
                project = self._chance.choice(PROJECTS[:-1])
            timed = self._chance.random() < SHARE_OF_TIMED_CANCELS
            rent_request = RentRequest(
                account=account,
                project=project,
                region=next(self._regions[project]),
                cancel_after=1 if timed else None,
            )
            place(rent_request, by=self._by, form_token=f"chaos-order-{next(self._serial)}")

    def cancel(self, number: int) -> None:
        """Cancel some of the pending orders, each once."""
        waiting = list(_pending().exclude(cancels__isnull=False).order_by("pk"))
        for order in self._chance.sample(waiting, min(number, len(waiting))):
            request_cancel(order, self._by, then_rent=self._chance.random() < SHARE_OF_REPLACEMENTS)

    def cancel_rest(self) -> None:
        """Cancel the orders that never get an SMS, so that every order ends."""
        under_way = Cancel.objects.filter(order=OuterRef("pk"), state__in=sorted(CANCEL_OPEN))
        for order in _pending().filter(~Exists(under_way), project=NEVER_AN_SMS):
            request_cancel(order, self._by)


def still_pending() -> int:
    return _pending().count()


def _pending() -> QuerySet[Order]:
    return Order.objects.filter(state=OrderState.PENDING)
