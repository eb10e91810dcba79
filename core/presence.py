"""Who has used the portal in the last minutes, as colleagues see it.

Only what people do themselves counts. A page that is left open goes on asking for news.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest

ON_SHIFT: Final = timedelta(minutes=10)
_KEY: Final = "presence.%s"
_EVERY: Final = 60.0
"""Seconds between two notes of one process about one person."""
_noted: dict[str, float] = {}


def is_by_hand(request: HttpRequest) -> bool:
    """Whether a person opened a page or sent a form; parts of open pages are fetched as */*."""
    return request.method == "POST" or "text/html" in request.headers.get("Accept", "")


def note_presence(user_pk: str) -> None:
    """Note that this person is here, at most once a minute and process."""
    now = time.monotonic()
    if now - _noted.get(user_pk, -_EVERY) >= _EVERY:
        _noted[user_pk] = now
        cache.set(_KEY % user_pk, 1, ON_SHIFT.total_seconds())


def present(user_pks: Collection[int]) -> set[int]:
    """Those of these people who did something in the last ten minutes."""
    keys = {_KEY % pk: pk for pk in user_pks}
    return {keys[key] for key in cache.get_many(keys)}
