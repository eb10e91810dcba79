"""The history of one object, oldest entry first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from core.times import exact, latest_instant


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
        """The time to sort by; of a provider's whole second, the end (`latest_instant`)."""
        if self.is_provider_time and self.at is not None:
            return latest_instant(self.at)
        return self.at

    @property
    def shown_time(self) -> SafeString:
        """The time as precisely as it is known; empty if it has not happened yet."""
        if self.at is None:
            return SafeString("")
        whole = self.is_provider_time and not self.at.microsecond
        return exact(self.at, is_whole_second=whole)


def sort_entries(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Sort by time, with future entries last. Entries of the same time keep their order."""
    return sorted(entries, key=_sort_key)


def _sort_key(entry: TimelineEntry) -> tuple[bool, float]:
    sort_time = entry.sort_time
    return sort_time is None, sort_time.timestamp() if sort_time else 0.0
