"""Read the provider's transactions to their end, for the ledger check."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from providers.models import Account
from rentals.engine import list_sync_source
from rentals.models import Reading

from .accounts import COMPLETE_DELAY

LISTS = (Reading.Kind.ORDERS, Reading.Kind.TRANSACTIONS)


def read_transactions(
    accounts: Sequence[Account],
    *,
    is_settled: Callable[[], bool],
    run_for: Callable[[float], None],
    wait_until: Callable[[Callable[[], bool]], bool],
) -> bool:
    """Read all transactions, as the daily schedule does. Returns whether that was possible.

    An order found in the provider's list meanwhile has to end first.
    """
    while wait_until(lambda: is_settled() and not _open_readings()):
        run_for(COMPLETE_DELAY)
        requested = [
            list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS, whole=True).pk
            for account in accounts
        ]
        if not wait_until(lambda: not _open_readings()):
            return False
        if is_settled():
            done = Reading.objects.filter(pk__in=requested, state="done", complete=True)
            return done.count() == len(requested)
    return False


def _open_readings() -> bool:
    return Reading.objects.filter(state__in=("queued", "claimed"), kind__in=LISTS).exists()
