"""Balances that the provider states in transactions, compared with those that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import OuterRef, Q, Subquery

from core.times import latest_instant
from providers.balances import LaterStatement
from providers.models import Account, BalanceReading

from .models import Transaction
from .order_import import clock_skew


def later_statements(readings: Sequence[BalanceReading]) -> Mapping[int, LaterStatement]:
    """The newest transaction of each account, if it is later than the reading and states another
    balance. Times of the provider are corrected by the skew of its clock."""
    by_account = {reading.account_id: reading for reading in readings}
    found = {}
    for row in _newest_transactions(list(by_account)):
        reading = by_account[row.account_id]
        if row.created_there is None or _agrees(row, reading):
            continue
        at = row.created_there - (clock_skew(row.account_id) or timedelta(0))
        if latest_instant(at) > reading.read_at:
            found[row.account_id] = LaterStatement(row.created_there, row.balance_after)
    return found


def _agrees(row: Transaction, reading: BalanceReading) -> bool:
    """Whether the transaction states the balance that was read.

    The document does not say whether its snapshot is the balance or the available part of it
    (GoSMS document, section 6), so either counts.
    """
    stated = row.balance_after
    return stated is not None and stated in (reading.balance, reading.available)


def _newest_transactions(accounts: Sequence[int]) -> list[Transaction]:
    """The newest transaction of each account; of several in one second, the one with the highest
    id."""
    rows = Transaction.objects.filter(account=OuterRef("pk"), created_there__isnull=False)
    newest = rows.order_by("-created_there").values("created_there")[:1]
    moments = Account.objects.filter(pk__in=accounts).order_by().annotate(newest=Subquery(newest))
    wanted = Q()
    for pk, moment in moments.values_list("pk", "newest"):
        if moment is not None:
            wanted |= Q(account=pk, created_there=moment)
    if not wanted:
        return []
    last: dict[int, Transaction] = {}
    for row in Transaction.objects.filter(wanted).order_by("pk"):
        known = last.get(row.account_id)
        if known is None or _id_order(row) >= _id_order(known):
            last[row.account_id] = row
    return list(last.values())


def _id_order(row: Transaction) -> tuple[int, str]:
    """Ids are numbers that grow, so a longer one is later."""
    return len(row.provider_id), row.provider_id
