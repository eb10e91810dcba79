"""Import the provider's transactions. Each row keeps its values as first stated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from providers.gateway.vocabulary import Transaction as Stated
from providers.models import Account

from .models import Transaction

FIELDS = (
    "type",
    "amount",
    "balance_after",
    "frozen_after",
    "description",
    "order_provider_id",
    "created_there",
)


def import_page(account: Account, page: Sequence[Stated], now: datetime) -> int:
    """Insert transactions by account and id; return how many are new.

    A transaction that is read twice is stored once. Values that a later reading states differently
    are kept beside the row.
    """
    stated = {one.transaction_id: one for one in page}
    existing = {
        row.provider_id: row
        for row in Transaction.objects.filter(account=account, provider_id__in=list(stated))
    }
    new = [_row(account, one, now) for key, one in stated.items() if key not in existing]
    Transaction.objects.bulk_create(new, ignore_conflicts=True)
    for key, row in existing.items():
        _keep_differences(row, stated[key], now)
    return len(new)


def count_known(account: Account) -> int:
    return Transaction.objects.filter(account=account).count()


def _values(one: Stated) -> dict[str, object]:
    return {
        "type": one.type,
        "amount": one.amount,
        "balance_after": one.balance_after,
        "frozen_after": one.frozen_after,
        "description": one.description,
        "order_provider_id": one.order_id,
        "created_there": one.created_at,
    }


def _row(account: Account, one: Stated, now: datetime) -> Transaction:
    return Transaction(
        account=account,
        provider_id=one.transaction_id,
        raw_created_there=one.raw_created_at,
        read_at=now,
        **_values(one),
    )


def _keep_differences(row: Transaction, one: Stated, now: datetime) -> None:
    kept = {(each["field"], each["value"]) for each in row.differing}
    found = [
        {"field": name, "value": str(value), "at": now.isoformat()}
        for name, value in _values(one).items()
        if value != getattr(row, name) and (name, str(value)) not in kept
    ]
    if found and len(row.differing) < 20:
        row.differing = [*row.differing, *found]
        row.save(update_fields=["differing"])
