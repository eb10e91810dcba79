"""The history of one object, oldest entry first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event. `at` is None if it has not happened yet; `url` leads to the evidence."""

    text: str
    at: datetime | None = None
    url: str = ""
    link: str = ""
    """The label of the link."""
    is_provider_time: bool = False
    """Whether the provider states the time."""

    @property
    def sort_time(self) -> datetime | None:
        """The time to sort by.

        A provider's time in whole seconds may lie anywhere in that second. It sorts after our own,
        more exact times within it, because those events led to it.
        """
        if self.is_provider_time and self.at is not None and not self.at.microsecond:
            return self.at.replace(microsecond=999_999)
        return self.at


def sort_entries(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Sort by time, with future entries last. Entries of the same time keep their order."""
    return sorted(entries, key=_sort_key)


def _sort_key(entry: TimelineEntry) -> tuple[bool, float]:
    sort_time = entry.sort_time
    return sort_time is None, sort_time.timestamp() if sort_time else 0.0


def person_name(user: object) -> str:
    """The full name, or else the user name. None means the portal itself."""
    if user is None:
        return _("the portal")
    full_name = getattr(user, "get_full_name", str)()
    return full_name or str(user)
