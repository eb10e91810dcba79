"""Scheduled tasks of rented numbers. Each may run twice without harm."""

from __future__ import annotations

from datetime import timedelta

from django_q.tasks import async_task

from providers import clock

from . import cancel_requests, hand_overs, ledger
from .catalogue import renting_accounts
from .engine import list_sync_source
from .models import Order, Reading


def read_lists() -> int:
    """Request both lists of each account that rented within a day; return how many accounts."""
    # This task runs most often. The call can be removed once no upgrade starts from an older
    # version.
    hand_overs.read_older_lines()
    cancel_requests.decide_unclear_cancels(clock.now())
    yesterday = clock.now() - timedelta(days=1)
    busy = set(Order.objects.filter(created_at__gt=yesterday).values_list("account_id", flat=True))
    requested = 0
    for account in renting_accounts():
        if account.pk in busy:
            list_sync_source.request_reading(account, Reading.Kind.ORDERS)
            list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS)
            requested += 1
    return requested


def read_lists_whole() -> int:
    """Request complete readings of every account, once a day: others may use the key, too."""
    for account in renting_accounts():
        list_sync_source.request_reading(account, Reading.Kind.ORDERS, whole=True)
        list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS, whole=True)
    return len(renting_accounts())


def prune() -> int:
    """Delete old readings; return how many."""
    return list_sync_source.prune()


def check_ledgers(account: int | None = None) -> int:
    """Check the ledger of one account; return the number of its open findings.

    Without an account, queue a check of each and return how many: together they could take
    longer than a task may.
    """
    accounts = renting_accounts()
    if account is None:
        for one in accounts:
            async_task("rentals.tasks.check_ledgers", one.pk, task_name="ledger: check")
        return len(accounts)
    return sum(len(ledger.check(one)) for one in accounts if one.pk == account)
