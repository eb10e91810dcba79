"""Keeps for some seconds, in this process, what surrounds every page of a person.

The counts of the sidebar and the banners cost as much as the page itself, and open pages ask for
them again and again. What is kept belongs to one person, with these permissions, in this language
and time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

MOST_KEPT: Final = 1_000
Kept = TypeVar("Kept")

_kept: Final[dict[tuple[object, ...], tuple[datetime, Any]]] = {}


def remember(name: str, request: HttpRequest, make: Callable[[], Kept]) -> Kept:
    """What `make` returns, or returned for this person less than `PAGE_MEMORY_SECONDS` ago."""
    span = timedelta(seconds=settings.PAGE_MEMORY_SECONDS)
    if not span:
        return make()
    key = (name, *_reader(request))
    now = timezone.now()
    found = _kept.get(key)
    # A clock that was set back leaves times of the future.
    if found is not None and abs(now - found[0]) < span:
        kept: Kept = found[1]
        return kept
    made = make()
    if len(_kept) >= MOST_KEPT:
        forget()
    _kept[key] = (now, made)
    return made


def forget() -> None:
    _kept.clear()


def _reader(request: HttpRequest) -> tuple[object, ...]:
    user = request.user
    rights = "all" if user.is_superuser else frozenset(user.get_all_permissions())
    return user.pk, rights, get_language(), timezone.get_current_timezone_name()
