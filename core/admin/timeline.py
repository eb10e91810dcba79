"""The history of one object, oldest first, as its page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`at` is None for what has not happened yet; `url` leads to the evidence."""

    text: str
    at: datetime | None = None
    url: str = ""
    link: str = ""
    """The words of the link."""
    is_provider_time: bool = False
    """The time is the provider's own."""

    @property
    def sort_time(self) -> datetime | None:
        """What the provider states in whole seconds happened some time in that second: it comes
        after what we know more exactly, which led to it."""
        if self.is_provider_time and self.at is not None and not self.at.microsecond:
            return self.at.replace(microsecond=999_999)
        return self.at


def sort_entries(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """By time, and what has not happened yet last. Entries of one moment keep their order."""
    return sorted(entries, key=_sort_key)


def _sort_key(entry: TimelineEntry) -> tuple[bool, float]:
    sort_time = entry.sort_time
    return sort_time is None, sort_time.timestamp() if sort_time else 0.0


def person_name(user: object) -> str:
    """The full name, else the user name; None is the portal itself."""
    if user is None:
        return _("the portal")
    full_name = getattr(user, "get_full_name", str)()
    return full_name or str(user)
