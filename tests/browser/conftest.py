"""A real Chromium before a real server, a real engine and real practice providers.

Everything runs in this process but the browser: the server and the engine in threads with
connections of their own, on the test database. SMSPORTAL_TEST_BROWSER names the browser.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connections
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers.engine.leases import is_engine_alive
from providers.engine.loop import DEADLINES, Loop
from providers.gateway.http.client import Deadlines
from providers.models import heartbeat
from sandbox.server import Sandbox
from tests.factories.staff import make_staff, make_user
from tests.support.wait_until import wait_until

from .visitor import PATIENCE, Visitor, Window

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Whoever a page asks but the portal is not found, which the console says.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)

MakeVisitor = Callable[..., Visitor]
LANGUAGES = ["en", pytest.param("zh-hans", marks=pytest.mark.slow)]
"""The second language rarely breaks a journey that works in the first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _browser_path() -> str:
    named = os.environ.get("SMSPORTAL_TEST_BROWSER")
    found = [path for name in (named, *BROWSERS) if name and (path := shutil.which(name))]
    if found:
        return found[0]
    missing = (
        "NO BROWSER: the pages were NOT tried in one. Install Chromium, or name a browser in"
        " SMSPORTAL_TEST_BROWSER."
    )
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    browser = playwright.chromium.launch(executable_path=_browser_path(), args=[*QUIET])
    yield browser
    browser.close()


class Windows:
    """Those that nobody uses, by their language."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[Window]] = defaultdict(list)

    def take(self, address: str, language: str) -> Window:
        free = self._free[language]
        return free.pop() if free else Window(self._browser, address, language)

    def give_back(self, window: Window) -> None:
        """One that cannot be tidied is thrown away."""
        try:
            window.tidy()
        except Error:
            window.close()
        else:
            self._free[window.language].append(window)


@pytest.fixture(scope="session")
def windows(chromium: Browser) -> Windows:
    return Windows(chromium)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """The practice providers; they report nothing of their own accord."""
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=None)
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def portal(live_server: LiveServer, sandbox: Sandbox, settings: Settings) -> LiveServer:
    """The web server, whose queue has just shown a sign of life."""
    settings.PUBLIC_ADDRESS = ""
    heartbeat("queue")
    heartbeat("engine")
    return live_server


class Engine:
    """One loop of the engine in a thread of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine loop")
        self._deadlines = DEADLINES

    def start(self, deadlines: Deadlines = DEADLINES) -> None:
        """Returns once it serves every account that there is."""
        self._deadlines = deadlines
        self._thread.start()
        wait_until(is_engine_alive)

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            Loop(self._stop.is_set, self._deadlines).run()
        finally:
            connections.close_all()


@pytest.fixture
def engine(portal: LiveServer) -> Iterator[Engine]:
    """Not started yet: tests make their accounts first."""
    engine = Engine()
    yield engine
    engine.stop()


@pytest.fixture
def make_visitor(windows: Windows, portal: LiveServer) -> Iterator[MakeVisitor]:
    """`make_visitor()` is a stranger, `make_visitor("operator")` is signed in with a role, and
    `make_visitor(user)` as that user. Whatever went wrong on their pages fails the test."""
    visitors: list[Visitor] = []

    def make(who: str | User = "", *, language: str = "en", width: int = 1280) -> Visitor:
        visitor = Visitor(windows.take(portal.url, language), portal.url, width=width)
        visitors.append(visitor)
        if who == "superuser":
            who = make_user(is_superuser=True)
        elif isinstance(who, str) and who:
            who = make_staff(who)
        if isinstance(who, User):
            visitor.come_in_as(who)
        return visitor

    yield make
    for visitor in visitors:
        visitor.leave()
        windows.give_back(visitor.window)
    troubles = [trouble for visitor in visitors for trouble in visitor.troubles]
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def operator(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor("operator")


@pytest.fixture
def manager(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor("manager")
