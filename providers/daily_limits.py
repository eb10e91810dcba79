"""How much may go out in any 24 hours: per account, per member of staff, or per whatever an
app counts (a number, a prefix).

A limit is taken by a conditional UPDATE before the row that costs money is written, in one
transaction with it. Use is counted in quarters of an hour, and a quarter counts until it is
wholly over 24 hours old, so no 24 hours ever hold more than the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, QuerySet
from django.utils import timezone

from .models import Account, DailyLimit, DailyUse

QUARTER: Final = 900
"""Seconds."""
QUARTERS: Final = 24 * 3600 // QUARTER
TRIES: Final = 50
"""So many others may take from the same limit at the same moment before this one gives up."""

What = DailyLimit.What


@dataclass(frozen=True, slots=True, order=True)
class Cap:
    """At most `most` of `what` in any 24 hours for one `key` of a `scope`."""

    what: str
    scope: str
    """`account`, `user`, or a word of the app that counts."""
    key: str
    most: int

    @property
    def name(self) -> tuple[str, str, str]:
        return self.what, self.scope, self.key


class LimitReached(Exception):
    """Nothing was taken. `used` of `cap.most` are gone; `free_at` is when some come back."""

    def __init__(self, cap: Cap, used: int, free_at: datetime) -> None:
        super().__init__(f"{cap.scope}: {used} of {cap.most}")
        self.cap = cap
        self.used = used
        self.free_at = free_at


def caps_of(account: Account, user: User | None, what: DailyLimit.What) -> list[Cap]:
    """The limits that hold for everything that this person sends over this account."""
    caps = []
    if account.daily_limit is not None:
        # Whatever its kind: each of them is paid for from the same balance.
        caps.append(Cap("all", "account", str(account.pk), account.daily_limit))
    if user is not None:
        caps.append(Cap(what, "user", str(user.pk), most_of(user, what)))
    return caps


def most_of(user: User, what: DailyLimit.What) -> int:
    """A person's own limit, else the highest of their roles', else the installation's."""
    limits = DailyLimit.objects.filter(what=what)
    own = limits.filter(user=user).values_list("most", flat=True).first()
    if own is not None:
        return own
    of_roles = limits.filter(group__user=user).aggregate(most=Max("most"))["most"]
    return int(of_roles if of_roles is not None else settings.DAILY_LIMITS[what])


def take(caps: Iterable[Cap], amount: int = 1) -> None:
    """Take `amount` from every one of `caps`, or raise `LimitReached`.

    Call it inside the transaction that writes what is counted: what was taken from the
    other caps is undone with it.
    """
    # Always in the same order, so that two who take at once cannot wait for each other.
    for cap in sorted(caps):
        _take(cap, amount)


def give_back(names: Iterable[Sequence[str]], amount: int, taken_at: datetime) -> None:
    """What was taken at that time was not used after all. `names`: what, scope and key of each
    limit that it was taken from, and of no other.

    Taken off the oldest quarters, whose end frees them first anyway: so however often and in
    whatever order it is given back, no 24 hours ever hold more than the limit.
    """
    for what, scope, key in sorted(map(tuple, names)):
        _give_back(DailyUse.objects.filter(what=what, scope=scope, key=key), amount, taken_at)


def _give_back(rows: QuerySet[DailyUse], amount: int, taken_at: datetime) -> None:
    for _ in range(TRIES):
        row = rows.first()
        if row is None or _quarter_of(taken_at) < _quarter_of(timezone.now()) - QUARTERS:
            # It counts no more.
            return
        spent = _still_counting(row.spent)
        left = amount
        for quarter in sorted(spent, key=int):
            part = min(left, spent[quarter])
            spent[quarter] -= part
            left -= part
        spent = {quarter: count for quarter, count in spent.items() if count}
        if rows.filter(version=row.version).update(spent=spent, version=row.version + 1):
            return
    raise RuntimeError("This limit is taken from by too many at once.")


def used(cap: Cap) -> int:
    """How much of a limit is gone now."""
    spent = DailyUse.objects.filter(what=cap.what, scope=cap.scope, key=cap.key)
    return sum(_still_counting(spent.values_list("spent", flat=True).first() or {}).values())


def _take(cap: Cap, amount: int) -> None:
    rows = DailyUse.objects.filter(what=cap.what, scope=cap.scope, key=cap.key)
    for _ in range(TRIES):
        row = rows.first() or _first_row(cap)
        spent = _still_counting(row.spent)
        if sum(spent.values()) + amount > cap.most:
            raise LimitReached(cap, sum(spent.values()), _free_at(spent))
        now = str(_quarter_of(timezone.now()))
        spent[now] = spent.get(now, 0) + amount
        seen = rows.filter(version=row.version)
        if seen.update(spent=spent, version=row.version + 1):
            return
    raise RuntimeError("This limit is taken from by too many at once.")


def _first_row(cap: Cap) -> DailyUse:
    """As it is made; where somebody else made it first, its version will tell."""
    row = DailyUse(what=cap.what, scope=cap.scope, key=cap.key)
    DailyUse.objects.bulk_create([row], ignore_conflicts=True)
    return row


def _quarter_of(moment: datetime) -> int:
    return int(moment.timestamp()) // QUARTER


def _still_counting(spent: dict[str, int]) -> dict[str, int]:
    oldest = _quarter_of(timezone.now()) - QUARTERS
    return {quarter: count for quarter, count in spent.items() if int(quarter) >= oldest}


def _free_at(spent: dict[str, int]) -> datetime:
    """When the oldest quarter that counts is over 24 hours old."""
    first = min((int(quarter) for quarter in spent), default=_quarter_of(timezone.now()))
    return datetime.fromtimestamp((first + QUARTERS + 1) * QUARTER, tz=UTC)


def prune() -> int:
    """Rows that nothing counts in any more."""
    oldest = _quarter_of(timezone.now()) - QUARTERS
    stale = [row.pk for row in DailyUse.objects.all() if _newest(row.spent) < oldest]
    return DailyUse.objects.filter(pk__in=stale).delete()[0]


def _newest(spent: dict[str, int]) -> int:
    return max((int(quarter) for quarter in spent), default=0)
