"""What the queue does by the clock. Each is thin, and may run twice."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from . import cancel_requests, hand_overs, ledger
from .catalogue import renting_accounts
from .engine import list_sync_source
from .models import Order, Reading


def read_lists() -> int:
    """Where something was rented lately: what the provider's lists tell of it."""
    # The duty that comes round soonest. Can go once no older version is upgraded from.
    hand_overs.read_older_lines()
    cancel_requests.settle_decided(timezone.now())
    lately = timezone.now() - timedelta(days=1)
    busy = set(Order.objects.filter(created_at__gt=lately).values_list("account_id", flat=True))
    asked = 0
    for account in renting_accounts():
        if account.pk in busy:
            list_sync_source.ask(account, Reading.Kind.ORDERS)
            list_sync_source.ask(account, Reading.Kind.TRANSACTIONS)
            asked += 1
    return asked


def read_lists_whole() -> int:
    """Once a day, also where nothing was rented here: others may use the key."""
    for account in renting_accounts():
        list_sync_source.ask(account, Reading.Kind.ORDERS, whole=True)
        list_sync_source.ask(account, Reading.Kind.TRANSACTIONS, whole=True)
    return len(renting_accounts())


def prune() -> int:
    return list_sync_source.prune()


def check_ledgers() -> int:
    """Returns how many findings are open."""
    return sum(len(ledger.check(account)) for account in renting_accounts())
