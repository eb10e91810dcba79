"""Somebody at a window of the browser that nobody else has at the time."""

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


PATIENCE = 60_000
"""Milliseconds. A slow machine is no failure."""
EMPTY_PAGE = "/static/tests/empty.html"
"""Of the portal, since its storage can be cleared from there only. It asks for nothing more."""


class Window:
    """A context of its own with one page in it, lent to one visitor after the other.

    A new one would cost more than most tests do in it: processes, and every style sheet,
    script and font read anew.
    """

    def __init__(self, browser: Browser, address: str, language: str) -> None:
        self.language = language
        self.context = browser.new_context(
            base_url=address, locale=LOCALES[language], reduced_motion="reduce"
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(LISTEN)
        self.page = self.context.new_page()

    def tidy(self) -> None:
        """Whatever the last visitor left is gone, but for files that everybody is served."""
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
    """Keeps `troubles`: what the console says of errors, breaches of the policy, faults of the
    server and requests to anybody else, whom this browser cannot find."""

    def __init__(self, window: Window, address: str, *, width: int = 1280) -> None:
        self.window = window
        self.address = address
        self.user: User | None = None
        self.troubles: list[str] = []
        self._forgiven: re.Pattern[str] | None = None
        self.context = window.context
        self._listeners: list[tuple[str, Callable[..., None]]] = []
        self._listen("console", self._note_message)
        self._listen("weberror", self._note_error)
        self.page = window.page
        self.page.set_viewport_size({"width": width, "height": 900})

    # --- coming and going --------------------------------------------------

    def come_in_as(self, user: User) -> None:
        """With a session that is there already; the form has tests of its own."""
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
        """From now on nothing is noted; what the browser said before has come by then."""
        with suppress(Error):
            # A page that is just being left has nothing more to say.
            self.page.evaluate("null")
        for event, listener in self._listeners:
            self.context.remove_listener(event, listener)

    def _listen(self, event: str, listener: Callable[..., None]) -> None:
        self.context.on(event, listener)  # type: ignore[call-overload]
        self._listeners.append((event, listener))

    # --- what went wrong ---------------------------------------------------

    @contextmanager
    def expecting(self, pattern: str) -> Iterator[None]:
        """Within the block, troubles that match are forgiven; one must come."""
        before = len(self.troubles)
        yield
        come = self.troubles[before:]
        forgiven = [trouble for trouble in come if re.search(pattern, trouble)]
        assert forgiven, f"nothing like {pattern} happened"
        self.troubles[before:] = [trouble for trouble in come if trouble not in forgiven]
        # The same may still be on its way.
        self._forgiven = re.compile(pattern)

    def _note(self, trouble: str) -> None:
        if self._forgiven is None or not self._forgiven.search(trouble):
            self.troubles.append(trouble)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console: {message.text} ({message.location.get('url', '')})")

    def _note_error(self, error: WebError) -> None:
        self._note(f"script: {error.error}")

    # --- what was asked for --------------------------------------------------

    def requests_to(self, ending: str) -> list[str]:
        """The addresses with this ending that are asked for from now on, as they come.

        Only where it is wanted: a page asks for some thirty files, and the browser telling of
        each costs a tenth of the page."""
        asked: list[str] = []

        def note(request: Request) -> None:
            if urlsplit(request.url).path.endswith(ending):
                asked.append(request.url)

        self._listen("request", note)
        return asked
