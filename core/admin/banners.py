"""Warnings at the top of every page.

An app registers a function that checks one condition and returns the banners for it, usually none.
Every page calls it, so it may make at most one cheap query.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from core.page_memory import remember
from core.registry import PageSources

from .buttons import Button, Text
from .labels import Role


@dataclass(frozen=True)
class Banner:
    text: Text
    role: Role = Role.WARNING
    icon: str = "warning"
    button: Button | None = None


sources: Final = PageSources[Banner]("A banner source failed.")
register = sources.register
gather = sources.gather


def zone_context(request: HttpRequest) -> dict[str, Any]:
    """The context of the zone's template. `mark` is a digest that changes with the banners."""
    found = remember("banners", request, lambda: gather(request))
    content = "|".join(f"{banner.role}{banner.text}" for banner in found)
    mark = hashlib.blake2s(content.encode(), digest_size=6).hexdigest()
    return {"banners": found, "mark": mark}
