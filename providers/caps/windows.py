"""The windows of caps, and how usage is counted in them.

Usage is counted in slots. A slot counts until all of it is older than the window, so no window
ever contains more than the cap, wherever it begins.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from .. import clock

Spent: TypeAlias = dict[str, int]
"""The usage by slot since the epoch."""


class Window(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def seconds(self) -> int:
        return _SECONDS[self]

    @property
    def slot(self) -> int:
        """Seconds of one slot."""
        return _SLOTS[self]

    def stored(self, scope: str) -> str:
        """The scope as the usage names it. A day has no name there, as it has been since the first
        version."""
        return scope if self is Window.DAY else f"{scope}.{self}"

    def slot_of(self, moment: datetime) -> int:
        return int(moment.timestamp()) // self.slot

    @property
    def oldest(self) -> int:
        """The oldest slot that still counts."""
        return self.slot_of(clock.now()) - self.seconds // self.slot

    def unexpired(self, spent: Spent) -> Spent:
        oldest = self.oldest
        return {slot: count for slot, count in spent.items() if int(slot) >= oldest}

    def used(self, spent: Spent) -> int:
        return sum(self.unexpired(spent).values())

    def free_at(self, spent: Spent) -> datetime:
        """When the oldest counted slot no longer counts."""
        first = min((int(slot) for slot in spent), default=self.slot_of(clock.now()))
        end = (first + self.seconds // self.slot + 1) * self.slot
        return datetime.fromtimestamp(end, tz=UTC)

    def add(self, spent: Spent, amount: int) -> None:
        now = str(self.slot_of(clock.now()))
        spent[now] = spent.get(now, 0) + amount


_SECONDS: Final = {Window.MINUTE: 60, Window.HOUR: 3600, Window.DAY: 24 * 3600}
_SLOTS: Final = {Window.MINUTE: 1, Window.HOUR: 60, Window.DAY: 900}


def window_of(stored_scope: str) -> Window:
    """The window of a scope as the usage names it."""
    _, _, window = stored_scope.partition(".")
    return Window(window) if window else Window.DAY
