"""What needs a hand: lines that apps put on the dashboard, each leading to its rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from django.http import HttpRequest

from .buttons import Text
from .labels import Role

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Matter:
    """`text` counts the rows, `url` opens exactly those."""

    text: Text
    url: str
    icon: str = "priority_high"
    role: Role = Role.WARNING


Source: TypeAlias = Callable[[HttpRequest], Iterable[Matter]]
_sources: Final[list[Source]] = []


def register(source: Source) -> Source:
    """`source` looks only at what the asking person may see."""
    if source not in _sources:
        _sources.append(source)
    return source


def gather(request: HttpRequest) -> list[Matter]:
    found: list[Matter] = []
    for source in _sources:
        try:
            found.extend(source(request))
        except Exception:
            logger.exception("A source of the dashboard failed.")
    return found
