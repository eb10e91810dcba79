"""Everything that happened with a number, and who sees the number whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import AnonymousUser, User

from core.admin.buttons import Text
from core.admin.number_sources import NumberEvent, NumberSource, sources_for
from core.phones.searches import has_typed

from .models import NumberName

Reader = User | AnonymousUser
MOST: Final = 50
"""Events of one page."""
MOST_COUNTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class NumberTab:
    """One kind of events. `count` stops at `MOST_COUNTED`."""

    key: str
    title: Text
    count: int

    @property
    def count_text(self) -> str:
        return f"{MOST_COUNTED:,}+" if self.count >= MOST_COUNTED else f"{self.count:,}"


def tabs_of(number: str, reader: Reader) -> list[NumberTab]:
    return [
        NumberTab(one.key, one.title, one.count(number, reader, MOST_COUNTED))
        for one in sources_for(reader)
    ]


def events_of(
    number: str, reader: Reader, *, only: str = "", before: datetime | None = None
) -> tuple[list[NumberEvent], bool]:
    """The newest events before a time, and whether there are older ones."""
    sources: Sequence[NumberSource] = [
        one for one in sources_for(reader) if not only or one.key == only
    ]
    found = [event for one in sources for event in one.events(number, reader, MOST + 1, before)]
    found.sort(key=lambda event: event.at, reverse=True)
    return found[:MOST], len(found) > MOST


def sees_whole(number: str, reader: Reader) -> bool:
    """Whether the reader may see this number without giving a reason.

    They do if they typed it in a search within the hour, or see it whole on a row of theirs.
    """
    if not isinstance(reader, User):
        return False
    if has_typed(number, reader):
        return True
    return any(one.shows_whole(number, reader) for one in sources_for(reader))


def name_of(number: str) -> str:
    names = NumberName.objects.filter(number=number)
    return names.values_list("name", flat=True).first() or ""
