"""Take caps, and give back what was not used.

A cap is taken by a conditional UPDATE, in the same transaction as the row that costs money and
before it. `providers.caps` knows which caps apply and how usage is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from .caps.cap import ALL, Cap, LimitReached, Name
from .caps.room import add_missing
from .caps.rules import book_of_send
from .caps.windows import Spent, Window, window_of
from .models import Account, DailyLimit, DailyUse

__all__ = [
    "ALL",
    "Cap",
    "LimitReached",
    "What",
    "caps_of",
    "caps_of_send",
    "prune",
    "release",
    "take",
    "usage_of",
]

MAX_ATTEMPTS: Final = 50
"""Attempts against concurrent updates of the same limit."""
PRUNED_AT_ONCE: Final = 1_000

What = DailyLimit.What


def caps_of(account: Account, user: User | None, what: DailyLimit.What) -> list[Cap]:
    """The caps on everything that this person sends over this account."""
    return book_of_send(what, account, user).sender_caps(account, user)


def caps_of_send(
    account: Account, user: User | None, what: DailyLimit.What, number: str, country: str
) -> list[Cap]:
    """The caps on one send: those of the person, the account and the recipient."""
    book = book_of_send(what, account, user, number, country)
    return [*book.sender_caps(account, user), *book.recipient_caps(number, country)]


def take(caps: Iterable[Cap], amount: int = 1) -> None:
    """Take `amount` from each of `caps`, or raise `LimitReached`.

    Call it inside the transaction that writes the counted rows: rolling back also undoes what
    was taken from the other caps.
    """
    # In a fixed order, and missing rows first, so that two concurrent calls cannot deadlock.
    ordered = sorted(caps, key=lambda cap: cap.name)
    rows = _rows_of(ordered)
    missing = [cap for cap in ordered if cap.name not in rows and amount <= cap.most]
    if missing:
        add_missing([cap.name for cap in missing])
        # If another process was first, the check of the version fails and the row is read.
        rows |= {cap.name: _new_row(cap) for cap in missing}
    for cap in ordered:
        _take(cap, amount, rows.get(cap.name))


def release(names: Iterable[Sequence[str]], amount: int, taken_at: datetime) -> None:
    """Release `amount` that was taken at `taken_at` and not used.

    Usage is subtracted from the oldest slots, which expire first anyway. So no sequence of
    releases lets any window contain more than the cap.

    :param names: what, scope and key of exactly those limits that `amount` was taken from.
    """
    for what, scope, key in sorted(map(tuple, names)):
        rows = DailyUse.objects.filter(what=what, scope=scope, key=key)
        _release(rows, window_of(scope), amount, taken_at)


def _release(rows: QuerySet[DailyUse], window: Window, amount: int, taken_at: datetime) -> None:
    for _ in range(MAX_ATTEMPTS):
        row = rows.first()
        if row is None or window.slot_of(taken_at) < window.oldest:
            # It no longer counts.
            return
        spent = _unexpired(row.spent, window)
        left = amount
        for slot in sorted(spent, key=int):
            part = min(left, spent[slot])
            spent[slot] -= part
            left -= part
        spent = {slot: count for slot, count in spent.items() if count}
        if rows.filter(version=row.version).update(spent=spent, version=row.version + 1):
            return
    raise RuntimeError("Too many concurrent updates of this limit.")


def usage_of(cap: Cap) -> int:
    """The current usage of a cap."""
    spent = _row(cap.name).values_list("spent", flat=True).first()
    return cap.window.used(spent or {})


def _rows_of(caps: Sequence[Cap]) -> dict[Name, DailyUse]:
    wanted = Q(pk=None)
    for what, scope, key in {cap.name for cap in caps}:
        wanted |= Q(what=what, scope=scope, key=key)
    return {(row.what, row.scope, row.key): row for row in DailyUse.objects.filter(wanted)}


def _row(name: Name) -> QuerySet[DailyUse]:
    what, scope, key = name
    return DailyUse.objects.filter(what=what, scope=scope, key=key)


def _take(cap: Cap, amount: int, row: DailyUse | None) -> None:
    window, rows = cap.window, _row(cap.name)
    for _ in range(MAX_ATTEMPTS):
        spent = _unexpired(row.spent, window) if row else {}
        if sum(spent.values()) + amount > cap.most:
            raise LimitReached(cap, sum(spent.values()), window.free_at(spent), amount)
        if row is not None:
            window.add(spent, amount)
            seen = rows.filter(version=row.version)
            if seen.update(spent=spent, version=row.version + 1):
                return
        row = rows.first()
        if row is None:
            # It was pruned meanwhile.
            add_missing([cap.name])
            row = _new_row(cap)
    raise RuntimeError("Too many concurrent updates of this limit.")


def _new_row(cap: Cap) -> DailyUse:
    what, scope, key = cap.name
    return DailyUse(what=what, scope=scope, key=key)


def _unexpired(spent: Spent, window: Window) -> Spent:
    return window.unexpired(spent)


def prune() -> int:
    """Delete rows whose usage has expired completely."""
    stale = [row.pk for row in DailyUse.objects.all().iterator() if _is_stale(row)]
    pruned = 0
    for first in range(0, len(stale), PRUNED_AT_ONCE):
        with transaction.atomic():
            rows = DailyUse.objects.filter(pk__in=stale[first : first + PRUNED_AT_ONCE])
            # One that was used meanwhile stays.
            locked = rows.order_by("pk").select_for_update()
            pks = [row.pk for row in locked if _is_stale(row)]
            pruned += DailyUse.objects.filter(pk__in=pks).delete()[0]
    return pruned


def _is_stale(row: DailyUse) -> bool:
    newest = max((int(slot) for slot in row.spent), default=0)
    return newest < window_of(row.scope).oldest
