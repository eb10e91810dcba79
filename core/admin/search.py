"""The search over all pages: what was typed, and the sources that look for it.

A source looks up numbers and ids by equality, and names among few rows, so that a search stays fast
whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.registry import PageSources

from .buttons import Text

MOST_HITS: Final = 3
"""Hits of one group."""
LEAST_LETTERS: Final = 2
"""Shorter texts name too much."""


@dataclass(frozen=True, slots=True)
class Hit:
    title: SafeString | str
    url: str
    icon: str
    state: SafeString | str = ""
    detail: SafeString | str = ""
    at: datetime | None = None
    is_act: bool = False
    """Whether the address takes a POST and does something, instead of a page to open."""
    theme: str = ""
    """The theme that it switches to, instead of an address: light, dark or auto."""


@dataclass(frozen=True, slots=True)
class HitGroup:
    title: Text
    hits: Sequence[Hit]
    more_url: str = ""
    """The list of all hits, if there are more than shown."""


@dataclass(frozen=True, slots=True)
class Term:
    """What was typed. `number` is the E.164 number that it is, if it is one."""

    text: str
    number: str = ""
    command: str = ""
    """What was typed before the number, such as "send"."""

    @property
    def is_name(self) -> bool:
        """Whether it may be part of a name."""
        return not self.number and len(self.text) >= LEAST_LETTERS

    def is_in(self, *texts: object) -> bool:
        """Whether the typed text is part of one of these, whatever its case."""
        wanted = self.text.casefold()
        return any(wanted in str(text).casefold() for text in texts)


Source = Callable[[HttpRequest, Term], Iterable[HitGroup]]
_sources: Final[list[Source]] = []


def register(source: Source) -> None:
    """Add a source. Registering it again has no effect."""
    if source not in _sources:
        _sources.append(source)


def find(request: HttpRequest, term: Term) -> list[HitGroup]:
    """The groups of all sources that found something. A failing source is logged and skipped."""
    asked: PageSources[HitGroup] = PageSources("A source of the search failed.")
    for source in _sources:
        asked.register(lambda request, source=source: source(request, term))  # type: ignore[misc]
    return [group for group in asked.gather(request) if group.hits]
