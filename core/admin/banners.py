"""Warnings that stand at the top of every page, whatever page it is.

An app registers a function that looks at one thing and returns what is to be said about
it now; nothing, most of the time. It is asked on every page: one cheap query at most.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django.http import HttpRequest

from .buttons import Button, Text
from .labels import Role

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Banner:
    text: Text
    role: Role = Role.WARNING
    icon: str = "warning"
    button: Button | None = None


Source: TypeAlias = Callable[[HttpRequest], Iterable[Banner]]
_sources: Final[list[Source]] = []


def register(source: Source) -> Source:
    if source not in _sources:
        _sources.append(source)
    return source


def gather(request: HttpRequest) -> list[Banner]:
    """What every source has to say; one that fails must not take the page with it."""
    found: list[Banner] = []
    for source in _sources:
        try:
            found.extend(source(request))
        except Exception:
            logger.exception("A banner source failed.")
    return found


def zone(request: HttpRequest) -> dict[str, Any]:
    """What the zone's template draws, and a mark by which a change is told."""
    found = gather(request)
    said = "|".join(f"{banner.role}{banner.text}" for banner in found)
    mark = hashlib.blake2s(said.encode(), digest_size=6).hexdigest()
    return {"banners": found, "mark": mark}
