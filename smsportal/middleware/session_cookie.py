"""The cookie of the session, which polls of open pages never take away."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from core.presence import is_by_hand


class SessionCookieMiddleware(SessionMiddleware):
    """A poll may be under way with the old key while the browser gets a new one.

    Django would answer it with the deletion of the cookie, and so sign the person out.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        cookie = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and not is_by_hand(request):
            del answer.cookies[settings.SESSION_COOKIE_NAME]
        return answer
