"""What many caps leave, read and taken in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final

from ..models import DailyUse
from .cap import Cap, LimitReached, Name
from .windows import Spent, window_of

CHUNK: Final = 500
"""Keys per query."""


class Room:
    """The usage of many caps, and what was taken from them since it was read."""

    def __init__(self) -> None:
        self._spent: dict[Name, Spent] = {}
        self._versions: dict[Name, int] = {}
        self._used: Counter[Name] = Counter()
        self._taken: Counter[Name] = Counter()

    def read(self, caps: Iterable[Cap]) -> None:
        """Read the usage of those caps that were not read before."""
        names = sorted({cap.name for cap in caps} - self._spent.keys())
        self._note(names, _rows(names))

    def lock(self, caps: Iterable[Cap]) -> None:
        """Read the usage and keep others from changing it until the transaction ends.

        The rows that are missing are written first and in order, then all are locked in the same
        order, as `daily_limits.take` does. So two of them never wait for each other.
        """
        names = sorted({cap.name for cap in caps} - self._spent.keys())
        # A row that was pruned in between is written again.
        while names:
            add_missing(names)
            self._note(names, _rows(names, locked=True))
            names = [name for name in names if name not in self._versions]

    def _note(self, names: Sequence[Name], rows: Iterable[DailyUse]) -> None:
        self._spent.update({name: {} for name in names})
        for row in rows:
            name = (row.what, row.scope, row.key)
            self._spent[name] = window_of(row.scope).unexpired(row.spent)
            self._versions[name] = row.version
            self._used[name] = sum(self._spent[name].values())

    def take_one(self, caps: Collection[Cap]) -> LimitReached | None:
        """Take one unit from each of the caps, or nothing if one of them is reached."""
        for cap in caps:
            used = self._used[cap.name]
            if used + 1 > cap.most:
                return LimitReached(cap, used, cap.window.free_at(self._spent[cap.name]))
        for cap in caps:
            self._used[cap.name] += 1
            self._taken[cap.name] += 1
        return None

    def save(self) -> None:
        """Write what was taken. Only after `lock`, in the same transaction."""
        rows = []
        for name, taken in sorted(self._taken.items()):
            what, scope, key = name
            spent = dict(self._spent[name])
            window_of(scope).add(spent, taken)
            # Whoever read the row before finds another version and reads it again.
            version = self._versions[name] + 1
            rows.append(DailyUse(what=what, scope=scope, key=key, spent=spent, version=version))
        self._taken.clear()
        DailyUse.objects.bulk_create(
            rows,
            batch_size=CHUNK,
            update_conflicts=True,
            unique_fields=("what", "scope", "key"),
            update_fields=("spent", "version"),
        )


def add_missing(names: Sequence[Name]) -> None:
    """Write empty rows for the names that have none. A row of another process stays."""
    rows = [DailyUse(what=what, scope=scope, key=key) for what, scope, key in names]
    DailyUse.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)


def read_usage(caps: Iterable[Cap]) -> dict[Name, int]:
    """The present usage of caps, in a query for each kind of them."""
    names = sorted({cap.name for cap in caps})
    return {
        (row.what, row.scope, row.key): window_of(row.scope).used(row.spent) for row in _rows(names)
    }


def _rows(names: Sequence[Name], *, locked: bool = False) -> Iterable[DailyUse]:
    for (what, scope), of_kind in groupby(names, key=lambda name: name[:2]):
        keys = [key for _, _, key in of_kind]
        for first in range(0, len(keys), CHUNK):
            rows = DailyUse.objects.filter(
                what=what, scope=scope, key__in=keys[first : first + CHUNK]
            ).order_by("key")
            yield from rows.select_for_update() if locked else rows
