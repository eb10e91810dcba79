"""Ends a session that nobody has used for a while, and one that has become too old.

Only what people do themselves counts: a page that is left open goes on asking for news.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from core.presence import is_by_hand

from .sessions import note_session

SEEN: Final = "seen_at"
"""In the session: when the person last did something, in seconds."""
WRITTEN_EVERY: Final = 180.0
"""Seconds. Otherwise each click would write to the database, which the engine needs."""


def begin(request: HttpRequest) -> None:
    """Note the beginning of a session, and when it ends in any case."""
    request.session[SEEN] = time.time()
    # An age would begin again with each note.
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))


class IdleLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        seen, now = request.session.get(SEEN), time.time()
        limit = settings.IDLE_MINUTES * 60
        if seen is not None and limit and now - seen > limit:
            logout(request)
            return _say_so(self.get_response(request))
        if seen is None or (now - seen > WRITTEN_EVERY and is_by_hand(request)):
            self._note(request, is_first=seen is None)
        return self.get_response(request)

    def _note(self, request: HttpRequest, *, is_first: bool) -> None:
        user = request.user
        if not isinstance(user, User):
            return
        if is_first:
            # Of the version before, which kept neither.
            begin(request)
        request.session[SEEN] = time.time()
        note_session(request, user)


def _say_so(answer: HttpResponse) -> HttpResponse:
    """Let the sign-in page say why the person is there."""
    target = answer.headers.get("Location", "")
    if target.startswith(f"{reverse('admin:login')}?"):
        answer.headers["Location"] = f"{target}&{urlencode({'idle': settings.IDLE_MINUTES})}"
    return answer
