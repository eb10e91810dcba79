"""A visitor with exclusive use of one browser window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, WebError

LOCALES = {"en": "en-GB", "zh-hans": "zh-CN"}
LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`Policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""


TIMEOUT_MS = 60_000
"""Milliseconds. A slow machine is no failure."""
EMPTY_PAGE = "/static/tests/empty.html"
"""A page of the portal without further requests. Only such a page can clear the storage."""


class Window:
    """A browser context with one page, used by one visitor after another.

    A new context costs more than most tests: it needs processes, and loads every style sheet,
    script and font again.
    """

    def __init__(self, browser: Browser, address: str, language: str) -> None:
        self.language = language
        self.context = browser.new_context(
            base_url=address, locale=LOCALES[language], reduced_motion="reduce"
        )
        self.context.set_default_timeout(TIMEOUT_MS)
        self.context.add_init_script(LISTEN)
        self.page = self.context.new_page()
        self.is_reusable = True

    def reset(self) -> None:
        """Remove everything that the last visitor left, except cached files."""
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.context.set_offline(False)
        self.context.clear_cookies()
        self.page.goto(EMPTY_PAGE)
        self.page.evaluate("localStorage.clear(); sessionStorage.clear();")

    def close(self) -> None:
        self.context.close()


class Visitor:
    """A visitor, and the `errors` that the browser reported.

    These are errors and warnings of the console, violations of the content security policy,
    server errors, and requests to other hosts, which this browser cannot resolve.
    """

    def __init__(self, window: Window, address: str, *, width: int = 1280) -> None:
        self.window = window
        self.address = address
        self.user: User | None = None
        self.errors: list[str] = []
        self._expected: re.Pattern[str] | None = None
        self.context = window.context
        self._listeners: list[tuple[str, Callable[..., None]]] = []
        self._listen("console", self._record_message)
        self._listen("weberror", self._record_error)
        self.page = window.page
        self.page.set_viewport_size({"width": width, "height": 900})

    def control_clock(self) -> None:
        """Let the test move the clock of the pages, which stays so until the window is closed."""
        self.window.is_reusable = False
        self.page.clock.install()

    # --- coming and going --------------------------------------------------

    def sign_in_as(self, user: User) -> None:
        """Start with a session, without the form, which has its own tests."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.user = user
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.address}]
        )

    def lose_session(self) -> None:
        self.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    def open_tab(self) -> Page:
        return self.context.new_page()

    def leave(self) -> None:
        """Stop recording errors, after those reported so far have arrived."""
        with suppress(Error):
            # This fails if the page is navigating, and then there is nothing to wait for.
            self.page.evaluate("null")
        for event, listener in self._listeners:
            self.context.remove_listener(event, listener)

    def _listen(self, event: str, listener: Callable[..., None]) -> None:
        self.context.on(event, listener)  # type: ignore[call-overload]
        self._listeners.append((event, listener))

    # --- errors ------------------------------------------------------------

    @contextmanager
    def expecting(self, pattern: str) -> Iterator[None]:
        """Ignore errors that match within the block. At least one must occur."""
        before = len(self.errors)
        yield
        new = self.errors[before:]
        expected = [error for error in new if re.search(pattern, error)]
        assert expected, f"no error matched {pattern}"
        self.errors[before:] = [error for error in new if error not in expected]
        # More errors of this kind may still arrive.
        self._expected = re.compile(pattern)

    def _record(self, error: str) -> None:
        if self._expected is None or not self._expected.search(error):
            self.errors.append(error)

    def _record_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._record(f"console: {message.text} ({message.location.get('url', '')})")

    def _record_error(self, error: WebError) -> None:
        self._record(f"script: {error.error}")

    # --- requests ------------------------------------------------------------

    def requests_to(self, ending: str) -> list[str]:
        """A list to which the URLs of all later requests with this path ending are added.

        Tests request this explicitly: a page loads some thirty files, and events for all of them
        cost a tenth of its loading time.
        """
        urls: list[str] = []

        def record(request: Request) -> None:
            if urlsplit(request.url).path.endswith(ending):
                urls.append(request.url)

        self._listen("request", record)
        return urls
