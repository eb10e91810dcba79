"""A real Chromium with a real server, a real engine and the sandbox.

Everything but the browser runs in this process. The server and the engine run in threads with
their own connections to the test database. SMSPORTAL_TEST_BROWSER names the browser.
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

from .visitor import TIMEOUT_MS, Visitor, Window

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
    # Every host but the portal is unknown, so the console reports requests to other hosts.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)

MakeVisitor = Callable[..., Visitor]
LANGUAGES = ["en", pytest.param("zh-hans", marks=pytest.mark.long)]
"""A journey that works in the first language rarely fails in the second."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _browser_path() -> str:
    configured = os.environ.get("SMSPORTAL_TEST_BROWSER")
    found = [path for name in (configured, *BROWSERS) if name and (path := shutil.which(name))]
    if found:
        return found[0]
    missing = (
        "NO BROWSER: the pages were NOT tested in one. Install Chromium, or name a browser in"
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
    expect.set_options(timeout=TIMEOUT_MS)
    browser = playwright.chromium.launch(executable_path=_browser_path(), args=[*QUIET])
    yield browser
    browser.close()


class WindowPool:
    """Free windows by language."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[Window]] = defaultdict(list)

    def take(self, address: str, language: str) -> Window:
        free = self._free[language]
        return free.pop() if free else Window(self._browser, address, language)

    def release(self, window: Window) -> None:
        """Make a window free again, or close it if it cannot be reset."""
        if not window.is_reusable:
            window.close()
            return
        try:
            window.reset()
        except Error:
            window.close()
        else:
            self._free[window.language].append(window)


@pytest.fixture(scope="session")
def windows(chromium: Browser) -> WindowPool:
    return WindowPool(chromium)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """The sandbox. It sends no reports automatically."""
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=None)
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def portal(live_server: LiveServer, sandbox: Sandbox, settings: Settings) -> LiveServer:
    """The web server of a portal whose queue and engine have fresh heartbeats."""
    settings.PUBLIC_ADDRESS = ""
    heartbeat("queue")
    heartbeat("engine")
    return live_server


class Engine:
    """One loop of the engine in its own thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine loop")
        self._deadlines = DEADLINES

    def start(self, deadlines: Deadlines = DEADLINES) -> None:
        """Start the loop and wait until it serves every account."""
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
    """The engine, not started yet: a test makes its accounts first."""
    engine = Engine()
    yield engine
    engine.stop()


@pytest.fixture
def make_visitor(windows: WindowPool, portal: LiveServer) -> Iterator[MakeVisitor]:
    """Makes visitors. An error on one of their pages fails the test.

    `make_visitor()` is anonymous, `make_visitor("operator")` is signed in with that role, and
    `make_visitor(user)` is signed in as that user.
    """
    visitors: list[Visitor] = []

    def make(who: str | User = "", *, language: str = "en", width: int = 1280) -> Visitor:
        visitor = Visitor(windows.take(portal.url, language), portal.url, width=width)
        visitors.append(visitor)
        if who == "superuser":
            who = make_user(is_superuser=True)
        elif isinstance(who, str) and who:
            who = make_staff(who)
        if isinstance(who, User):
            visitor.sign_in_as(who)
        return visitor

    yield make
    for visitor in visitors:
        visitor.leave()
        windows.release(visitor.window)
    errors = [error for visitor in visitors for error in visitor.errors]
    assert not errors, "\n".join(errors)


@pytest.fixture
def operator(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor("operator")


@pytest.fixture
def manager(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor("manager")
