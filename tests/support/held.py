"""A kind of rows that a hold keeps, without an app: its rows are in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.contrib.auth.models import User

from core.stored_texts import Stored, from_staff
from providers.hold.holdable import HeldGroup, HeldRow, Holdable
from providers.models import Hold

TITLE = from_staff("Single messages")
FIRST = datetime(2025, 11, 20, 5, 12, 5, tzinfo=UTC)
LAST = datetime(2025, 11, 20, 5, 31, 9, tzinfo=UTC)


@dataclass
class FakeHoldable(Holdable):
    """One group `fake:1` of rows with the keys 1 to `count`."""

    name = "fake"
    count: int = 3
    may_send: bool = True
    title: Stored = TITLE
    known: set[int] = field(default_factory=set)
    """Rows that `settle_known` settles."""
    settled: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)
    discarded: set[int] = field(default_factory=set)

    @property
    def undecided(self) -> set[int]:
        every = set(range(1, self.count + 1))
        return every - self.settled - self.sent - self.discarded

    def hold(self, hold: Hold) -> int:
        return self.count

    def groups(self, hold: Hold) -> list[HeldGroup]:
        group = HeldGroup(
            "fake:1",
            "sms",
            self.title,
            "HAORUI main, <2 people>",
            len(self.undecided),
            FIRST,
            LAST,
            ["No report is on record."],
            settled=len(self.settled),
            may_send=self.may_send,
            has_rows=True,
        )
        return [group]

    def rows(self, hold: Hold, group: str, after: int, limit: int) -> list[HeldRow]:
        keys = sorted(key for key in self.undecided if key > after)[:limit]
        return [HeldRow(key, f"Row {key}", "HAORUI main", FIRST) for key in keys]

    def count_undecided(self, hold: Hold) -> int:
        return len(self.undecided)

    def settle_known(self, hold: Hold) -> int:
        found = self.known & self.undecided
        self.settled |= found
        return len(found)

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return self._take(rows, self.sent)

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return self._take(rows, self.discarded)

    def _take(self, rows: Collection[int] | None, into: set[int]) -> int:
        found = self.undecided if rows is None else self.undecided & set(rows)
        into |= found
        return len(found)
