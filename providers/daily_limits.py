"""Limits for any 24 hours: per account, per member of staff, or per any key of an app (number,
prefix).

A limit is taken by a conditional UPDATE, in the same transaction as the row that costs money and
before it. Usage is counted in quarters of an hour. A quarter counts until all of it is more
than 24 hours old, so no 24 hours ever contain more than the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, QuerySet

from . import clock
from .models import Account, DailyLimit, DailyUse

QUARTER: Final = 900
"""Seconds."""
QUARTERS: Final = 24 * 3600 // QUARTER
MAX_ATTEMPTS: Final = 50
"""Attempts against concurrent updates of the same limit."""

What = DailyLimit.What


@dataclass(frozen=True, slots=True, order=True)
class Cap:
    """At most `most` units of `what` in any 24 hours for one `key` of a `scope`."""

    what: str
    scope: str
    """`account`, `user`, or a scope of an app above."""
    key: str
    most: int

    @property
    def name(self) -> tuple[str, str, str]:
        return self.what, self.scope, self.key


class LimitReached(Exception):
    """Nothing was taken from `cap`: `used` of `cap.most` are used up, and the first of them are
    released at `free_at`."""

    def __init__(self, cap: Cap, used: int, free_at: datetime) -> None:
        super().__init__(f"{cap.scope}: {used} of {cap.most}")
        self.cap = cap
        self.used = used
        self.free_at = free_at


def caps_of(account: Account, user: User | None, what: DailyLimit.What) -> list[Cap]:
    """The limits that apply to everything that this person sends over this account."""
    caps = []
    if account.daily_limit is not None:
        # One limit for all kinds, since they are paid from the same balance.
        caps.append(Cap("all", "account", str(account.pk), account.daily_limit))
    if user is not None:
        caps.append(Cap(what, "user", str(user.pk), user_limit(user, what)))
    return caps


def user_limit(user: User, what: DailyLimit.What) -> int:
    """The limit of a person: their own, else the highest of their roles, else the default of the
    installation."""
    limits = DailyLimit.objects.filter(what=what)
    own = limits.filter(user=user).values_list("most", flat=True).first()
    if own is not None:
        return own
    of_roles = limits.filter(group__user=user).aggregate(most=Max("most"))["most"]
    return int(of_roles if of_roles is not None else settings.DAILY_LIMITS[what])


def take(caps: Iterable[Cap], amount: int = 1) -> None:
    """Take `amount` from each of `caps`, or raise `LimitReached`.

    Call it inside the transaction that writes the counted rows: rolling back also undoes what
    was taken from the other caps.
    """
    # In a fixed order, so that two concurrent calls cannot deadlock.
    for cap in sorted(caps):
        _take(cap, amount)


def release(names: Iterable[Sequence[str]], amount: int, taken_at: datetime) -> None:
    """Release `amount` that was taken at `taken_at` and not used.

    Usage is subtracted from the oldest quarters, which expire first anyway. So no sequence of
    releases lets any 24 hours contain more than the limit.

    :param names: what, scope and key of exactly those limits that `amount` was taken from.
    """
    for what, scope, key in sorted(map(tuple, names)):
        _release(DailyUse.objects.filter(what=what, scope=scope, key=key), amount, taken_at)


def _release(rows: QuerySet[DailyUse], amount: int, taken_at: datetime) -> None:
    for _ in range(MAX_ATTEMPTS):
        row = rows.first()
        if row is None or _quarter_of(taken_at) < _quarter_of(clock.now()) - QUARTERS:
            # It no longer counts.
            return
        spent = _unexpired(row.spent)
        left = amount
        for quarter in sorted(spent, key=int):
            part = min(left, spent[quarter])
            spent[quarter] -= part
            left -= part
        spent = {quarter: count for quarter, count in spent.items() if count}
        if rows.filter(version=row.version).update(spent=spent, version=row.version + 1):
            return
    raise RuntimeError("Too many concurrent updates of this limit.")


def usage_of(cap: Cap) -> int:
    """The current usage of a limit."""
    spent = DailyUse.objects.filter(what=cap.what, scope=cap.scope, key=cap.key)
    return sum(_unexpired(spent.values_list("spent", flat=True).first() or {}).values())


def _take(cap: Cap, amount: int) -> None:
    rows = DailyUse.objects.filter(what=cap.what, scope=cap.scope, key=cap.key)
    for _ in range(MAX_ATTEMPTS):
        row = rows.first() or _first_row(cap)
        spent = _unexpired(row.spent)
        if sum(spent.values()) + amount > cap.most:
            raise LimitReached(cap, sum(spent.values()), _free_at(spent))
        now = str(_quarter_of(clock.now()))
        spent[now] = spent.get(now, 0) + amount
        seen = rows.filter(version=row.version)
        if seen.update(spent=spent, version=row.version + 1):
            return
    raise RuntimeError("Too many concurrent updates of this limit.")


def _first_row(cap: Cap) -> DailyUse:
    """Create the row. If another process created it first, the version check fails and the caller
    retries."""
    row = DailyUse(what=cap.what, scope=cap.scope, key=cap.key)
    DailyUse.objects.bulk_create([row], ignore_conflicts=True)
    return row


def _quarter_of(moment: datetime) -> int:
    return int(moment.timestamp()) // QUARTER


def _unexpired(spent: dict[str, int]) -> dict[str, int]:
    oldest = _quarter_of(clock.now()) - QUARTERS
    return {quarter: count for quarter, count in spent.items() if int(quarter) >= oldest}


def _free_at(spent: dict[str, int]) -> datetime:
    """When the oldest counted quarter is more than 24 hours old."""
    first = min((int(quarter) for quarter in spent), default=_quarter_of(clock.now()))
    return datetime.fromtimestamp((first + QUARTERS + 1) * QUARTER, tz=UTC)


def prune() -> int:
    """Delete rows whose usage has expired completely."""
    oldest = _quarter_of(clock.now()) - QUARTERS
    stale = [row.pk for row in DailyUse.objects.all() if _newest_quarter(row.spent) < oldest]
    return DailyUse.objects.filter(pk__in=stale).delete()[0]


def _newest_quarter(spent: dict[str, int]) -> int:
    return max((int(quarter) for quarter in spent), default=0)
