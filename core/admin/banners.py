"""Warnings that stand at the top of every page, whatever page it is.

An app registers a function that looks at one thing and returns what is to be said about
it now; nothing, most of the time. It is asked on every page: one cheap query at most.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

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
    """What the zone's template draws, and a mark by which a change is told."""
    found = gather(request)
    said = "|".join(f"{banner.role}{banner.text}" for banner in found)
    mark = hashlib.blake2s(said.encode(), digest_size=6).hexdigest()
    return {"banners": found, "mark": mark}
