"""The dashboard's "needs attention" list, to which every app contributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.registry import PageSources

from .buttons import Text
from .labels import Role


@dataclass(frozen=True)
class AttentionItem:
    """`text` states how many rows need attention; `url` lists exactly those rows."""

    text: Text
    url: str
    icon: str = "priority_high"
    role: Role = Role.WARNING


def counted_item(count: int, text: str, url: str, icon: str) -> Iterator[AttentionItem]:
    """Yield one item, or none if `count` is 0. `text` contains `%(count)d`."""
    if count:
        yield AttentionItem(text % {"count": count}, url, icon)


sources: Final = PageSources[AttentionItem]("A source of the dashboard failed.")
"""Each source counts only rows that the user may see."""
register = sources.register
gather = sources.gather
