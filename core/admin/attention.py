"""What needs attention: lines that apps put on the dashboard, each leading to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.registry import PageSources

from .buttons import Text
from .labels import Role


@dataclass(frozen=True)
class AttentionItem:
    """`text` counts the rows, `url` opens exactly those."""

    text: Text
    url: str
    icon: str = "priority_high"
    role: Role = Role.WARNING


def counted_item(count: int, text: str, url: str, icon: str) -> Iterator[AttentionItem]:
    """One item whose `text` has a place for `count`; none where nothing is counted."""
    if count:
        yield AttentionItem(text % {"count": count}, url, icon)


sources: Final = PageSources[AttentionItem]("A source of the dashboard failed.")
"""Each looks only at what the user may see."""
register = sources.register
gather = sources.gather
