"""Import the provider's transactions. Each row keeps its values as first stated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Count, QuerySet, Sum

from providers.gateway.vocabulary import Transaction as Stated
from providers.models import Account

from .models import Transaction

MAX_KEPT: Final = 20
"""Differing values kept per transaction."""
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
    are kept beside the row, and so are those of a second row with the same id on one page.
    """
    stated: dict[str, list[Stated]] = {}
    for one in page:
        stated.setdefault(one.transaction_id, []).append(one)
    rows = Transaction.objects.filter(account=account, provider_id__in=list(stated))
    existing = {row.provider_id: row for row in rows}
    new = [_row(account, all_[0], now) for key, all_ in stated.items() if key not in existing]
    Transaction.objects.bulk_create(new, ignore_conflicts=True)
    if any(len(all_) > 1 and key not in existing for key, all_ in stated.items()):
        existing = {row.provider_id: row for row in rows.all()}
    for key, row in existing.items():
        _keep_differences(row, stated[key], now)
    return len(new)


COMPARED: Final = ("type", "amount", "order_provider_id")
"""Values in which two transactions differ. Others may change while a transaction is the same."""


def variants_of(row: Transaction) -> list[Transaction]:
    """The other transactions that the provider stated under the id of this one. Not saved.

    Of each only the values that differ were kept, so one that differs twice is two variants.
    """
    stated: dict[str, list[dict[str, str]]] = {}
    for each in row.differing:
        if each["field"] in COMPARED:
            stated.setdefault(each["at"], []).append(each)
    variants = []
    for differences in stated.values():
        values = {name: getattr(row, name) for name in (*COMPARED, "created_there", "read_at")}
        fields: list[dict[str, str]] = [{}]
        for each in differences:
            place = next((one for one in fields if each["field"] not in one), None)
            if place is None:
                fields.append(place := {})
            place[each["field"]] = each["value"]
        for one in fields:
            amount = {"amount": Decimal(one["amount"])} if "amount" in one else {}
            given = {**values, **one, **amount}
            variants.append(
                Transaction(account_id=row.account_id, provider_id=row.provider_id, **given)
            )
    return variants


def doubled(account: Account) -> QuerySet[Transaction]:
    """Transactions whose id the provider gave to another one as well, oldest first."""
    rows = Transaction.objects.filter(account=account)
    return rows.exclude(differing=[], repeated=None).order_by("pk")


def marked_doubled(account: Account) -> QuerySet[Transaction]:
    """The same, by an index. Those of an earlier version are missing until they are marked."""
    return doubled(account).filter(differed_at__isnull=False)


def mark_doubled(account: Account, now: datetime) -> None:
    """Mark those that an earlier version stored. Reads all transactions of the account."""
    doubled(account).filter(differed_at=None).order_by().update(differed_at=now)


def count_known(account: Account) -> int:
    """The number of known rows of the provider's list, counting an id that it lists twice twice."""
    rows = Transaction.objects.filter(account=account)
    counted = rows.aggregate(rows=Count("pk"), repeated=Sum("repeated"))
    return int(counted["rows"]) + int(counted["repeated"] or 0)


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


def _keep_differences(row: Transaction, stated: Sequence[Stated], now: datetime) -> None:
    kept = {(each["field"], each["value"]) for each in row.differing}
    found = []
    for one in stated:
        for name, value in _values(one).items():
            if value != getattr(row, name) and (name, str(value)) not in kept:
                kept.add((name, str(value)))
                found.append({"field": name, "value": str(value), "at": now.isoformat()})
    changed = []
    if found and len(row.differing) < MAX_KEPT:
        row.differing = [*row.differing, *found]
        changed.append("differing")
    if len(stated) - 1 > (row.repeated or 0):
        row.repeated = len(stated) - 1
        changed.append("repeated")
    if changed:
        row.differed_at = now
        row.save(update_fields=[*changed, "differed_at"])
