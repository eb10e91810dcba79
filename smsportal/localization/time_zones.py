"""The time zone of each reader: which there are, and the one in which a request is answered."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError, InterfaceError
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from core.presence import is_by_hand, note_presence
from core.times import offset_of

from ..models import Preferences

LONGEST: Final = 64
NOT_OFFERED: Final = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
"""Older names, and those of which Etc/GMT+8 lies west of Greenwich."""


@lru_cache(maxsize=1)
def zones_by_key() -> dict[str, str]:
    """The names of all zones by what people may type for them, in their alphabetical order."""
    return {_key(name): name for name in sorted(zoneinfo.available_timezones())}


def find_zone(typed: str) -> str | None:
    """The name of the zone that is meant: asia/hong kong and Hong Kong are Asia/Hong_Kong."""
    typed = _key(typed)
    if exact := zones_by_key().get(typed):
        return exact
    cities = {name for key, name in zones_by_key().items() if key.endswith(f"/{typed}")}
    cities = {name for name in cities if _is_offered(name)}
    return cities.pop() if typed and len(cities) == 1 else None


def offered_zones(now: datetime) -> list[tuple[str, str]]:
    """The zones to choose from, each with its offset now."""
    names = [name for name in zones_by_key().values() if _is_offered(name)]
    return [(name, offset_of(now.astimezone(zoneinfo.ZoneInfo(name)))) for name in names]


def _key(typed: str) -> str:
    return "_".join(typed[:LONGEST].split()).casefold()


def _is_offered(name: str) -> bool:
    return name == "UTC" or ("/" in name and not name.startswith(NOT_OFFERED))


def zone_of(user_id: Any) -> tzinfo | None:
    """The zone that this person has chosen. None: that of the installation.

    A name that this system does not know any more counts as none. If the database is away, the
    page itself says so.
    """
    try:
        chosen = Preferences.objects.filter(pk=user_id).values_list("time_zone", flat=True).first()
    except (DatabaseError, InterfaceError, ValueError):
        return None
    name = find_zone(chosen) if chosen else None
    return zoneinfo.ZoneInfo(name) if name and name != settings.TIME_ZONE else None


class TimeZoneMiddleware:
    """Answers each request of a person in their time zone, also what is streamed later."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user_id = _signed_in(request)
        if user_id and is_by_hand(request):
            note_presence(str(user_id))
        zone = zone_of(user_id) if user_id else None
        if zone is None:
            return self._get_response(request)
        with timezone.override(zone):
            response = self._get_response(request)
        if isinstance(response, StreamingHttpResponse):
            _stream_in(response, zone)
        return response


def _signed_in(request: HttpRequest) -> Any:
    """The id of the person as the session has it, without loading the person."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.session.get(SESSION_KEY)


def _stream_in(response: StreamingHttpResponse, zone: tzinfo) -> None:
    if isinstance(response, FileResponse):
        # Its content is complete.
        return
    content: Any = response.streaming_content
    response.streaming_content = _within(zone, content)


def _within(zone: tzinfo, content: Iterable[bytes]) -> Iterator[bytes]:
    pieces = iter(content)
    while True:
        with timezone.override(zone):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
