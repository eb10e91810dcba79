"""How long a balance lasts, by what the provider booked lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from providers import clock
from providers.balances import Balance
from providers.models import Account

from . import ledger
from .models import Transaction

MIN_SPAN: Final = timedelta(hours=1)
"""Minimum time since the first hold for an estimate of how long the balance lasts."""


def runway(account: Account, balance: Balance, now: datetime | None = None) -> timedelta | None:
    """Estimate how long the available balance lasts at the spending of the last 24 hours.

    Spending is holds minus refunds, as booked by the provider. None if there is no basis for an
    estimate, such as a balance that is out of date.
    """
    now = now or clock.now()
    if balance.is_stale or balance.amount is None or balance.amount <= 0:
        return None
    day = Transaction.objects.filter(account=account, created_there__gt=now - timedelta(days=1))
    sums = dict(day.order_by().values_list("type").annotate(amount=Sum("amount")))
    spent = sums.get(ledger.HOLD, Decimal(0)) - sums.get(ledger.REFUND, Decimal(0))
    first = day.filter(type=ledger.HOLD).order_by("created_there").first()
    if spent <= 0 or first is None or first.created_there is None:
        return None
    span = now - first.created_there
    if span < MIN_SPAN:
        return None
    return span * float(balance.amount / spent)
