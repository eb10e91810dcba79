"""A cap that applies to one send, and what happens when it is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from .windows import Window

ALL: Final = "all"
"""All kinds counted together."""
EACH: Final = "*"
"""The key of a rule for everything of its scope that has no rule of its own."""

Name: TypeAlias = tuple[str, str, str]
"""What, scope with its window, and key: the row of the usage."""


@dataclass(frozen=True, slots=True, order=True)
class Cap:
    """At most `most` units of `what` in any `window` for one `key` of a `scope`."""

    what: str
    scope: str
    """`account`, `user`, `country`, `prefix` or `number`."""
    key: str
    most: int
    window: Window = Window.DAY
    rule: int | None = field(default=None, compare=False)
    """The row that staff set; None for a default of the portal and for an account's own limit."""

    @property
    def name(self) -> Name:
        return self.what, self.window.stored(self.scope), self.key


class LimitReached(Exception):
    """Nothing was taken from `cap`: `used` of `cap.most` are used up, and the first of them are
    released at `free_at`."""

    def __init__(self, cap: Cap, used: int, free_at: datetime, wanted: int = 1) -> None:
        super().__init__(f"{cap.scope}: {used} of {cap.most}")
        self.cap = cap
        self.used = used
        self.free_at = free_at
        self.wanted = wanted
