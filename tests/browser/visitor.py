"""Somebody at a browser of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

LOCALES = {"en": "en-GB", "zh-hans": "zh-CN"}
LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`Policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Visitor:
    """Keeps `troubles`: errors in the console, breaches of the policy, faults of the server
    and requests to anybody else."""

    def __init__(
        self, browser: Browser, address: str, *, language: str = "en", width: int = 1280
    ) -> None:
        self.address = address
        self.user: User | None = None
        self.troubles: list[str] = []
        self.requests: list[str] = []
        """Method and path of everything that was asked for."""
        self._forgiven: re.Pattern[str] | None = None
        self.context = browser.new_context(
            base_url=address,
            locale=LOCALES[language],
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
        )
        self.context.add_init_script(LISTEN)
        self.context.on("request", self._note_request)
        self.context.on("response", self._note_response)
        self.context.on("console", self._note_message)
        self.context.on("weberror", lambda error: self._note(f"script: {error.error}"))
        self.page = self.context.new_page()

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
        self.context.close()

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

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.requests.append(f"{request.method} {parts.path}")
            if f"{parts.scheme}://{parts.netloc}" != self.address:
                self._note(f"asked somebody else: {request.url}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 500:
            self._note(f"status {response.status}: {response.url}")

    # --- counting ------------------------------------------------------------

    def asked_for(self, ending: str) -> int:
        """How often a path with this ending was asked for."""
        return sum(request.endswith(ending) for request in self.requests)
