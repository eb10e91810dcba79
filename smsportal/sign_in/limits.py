"""How many wrong passwords are accepted, before any password is hashed.

Three limits, each for the time of the lock-out:

- per name and address, as before;
- per address, whatever the names. Guessing one password for many names meets this one;
- per known browser, for the names that have signed in with it. It replaces the other two, so that
  strangers behind the same address cannot lock these people out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse

from core.client_address import comes_through_unnamed_proxy

from .known_browsers import known_browser, remember

logger = logging.getLogger(__name__)

# The library has no types.
LibraryHandler: Any = AxesDatabaseHandler


class BrowserFailures:
    """Wrong passwords per known browser, in this process."""

    MAX_BROWSERS: Final = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        """Count, and the end of the time in which it is valid."""

    def add(self, key: str, seconds: float) -> None:
        with self._lock:
            if len(self._counts) >= self.MAX_BROWSERS:
                self._counts.clear()
            self._counts[key] = (self.count(key) + 1, time.monotonic() + seconds)

    def count(self, key: str) -> int:
        count, until = self._counts.get(key, (0, 0.0))
        return count if time.monotonic() < until else 0

    def forget(self, key: str) -> None:
        self._counts.pop(key, None)


class UnnamedProxyWarning:
    """Warns at most once an hour, in this process."""

    EVERY: Final = 3600.0

    def __init__(self) -> None:
        self._next = 0.0

    def warn(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY
            logger.warning(
                "Requests come through a proxy that TRUSTED_PROXIES does not name. All clients"
                " have its address, so one of them can lock sign-in for all."
            )


_unnamed_proxy: Final = UnnamedProxyWarning()
browser_failures: Final = BrowserFailures()


class LimitHandler(LibraryHandler):
    """Counts failures by these limits."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        key = _key_of_known_browser(request, credentials)
        if key is not None:
            return browser_failures.count(key)
        if _failures_from_address(request) >= settings.LOGIN_FAILURES_PER_ADDRESS:
            return int(settings.AXES_FAILURE_LIMIT)
        return int(super().get_failures(request, credentials))

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        key = _key_of_known_browser(request, credentials) if request else None
        if request is not None and comes_through_unnamed_proxy(request):
            _unnamed_proxy.warn()
        if key is not None and not getattr(request, "axes_locked_out", False):
            cool_off = get_cool_off(request)
            browser_failures.add(key, cool_off.total_seconds() if cool_off else 0)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        browser = known_browser(request)
        if browser is not None:
            browser_failures.forget(browser.key)
        request.signed_in_as = user.get_username()


def _key_of_known_browser(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    browser = known_browser(request)
    name = get_client_username(request, credentials) or ""
    return browser.key if browser is not None and browser.has_signed_in(name) else None


def _failures_from_address(request: Any) -> int:
    recent = AccessAttempt.objects.filter(
        ip_address=request.axes_ip_address, attempt_time__gte=get_cool_off_threshold(request)
    )
    return int(recent.aggregate(total=Sum("failures_since_start"))["total"] or 0)


class SignInMiddleware:
    """Remembers the browser of each sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        username = getattr(request, "signed_in_as", None)
        if username is not None:
            remember(request, response, username)
        return response
