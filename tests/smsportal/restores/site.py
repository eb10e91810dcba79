"""A site: one real host with its folders, its database and the sandbox that it calls."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from messaging.batches import lifecycle
from providers.engine import heartbeats
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.support.hosts import Host
from tests.support.processes import descendants_of
from tests.support.wait_until import wait_until
from tests.upgrade import databases

LONG_ENOUGH: Final = 3.0
"""Seconds in which the engine would send what waits."""
LOGINS: Final = {
    "haosms": ("api_key", ""),
    "haorui": ("api_id", "api_password"),
    "otpservice": ("username", "password"),
    "gosms": ("api_key", ""),
}
OPERATIONS: Final = {
    ("haorui", "send"): "{phonenumber}",
    ("haosms", "otp_msg"): "86{phone}",
    ("otpservice", "send"): "{msisdn}",
    ("otpservice", "code"): "check {sid} {code}",
    ("gosms", "create_order"): "order {project_code} {region}",
    ("gosms", "cancel_order"): "cancel {order_id}",
}
"""The calls that must not be repeated, and how one is distinguished from another."""

REFUSABLE: Final = {"code", "cancel_order"}

Calls = Counter[str]


class Site:
    """One host with its folders, its database and the sandbox that it calls."""

    def __init__(self, folder: Path, sandbox: Sandbox, database: str = "") -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.database = database or str(folder / "host" / "data" / "portal.sqlite3")
        self.host = Host(
            folder / "host",
            self.database,
            SECRET_KEY=settings.SECRET_KEY,
            SECRETS_KEYS=",".join(settings.SECRETS_KEYS),
        )
        self.host.environment["PUBLIC_ADDRESS"] = f"http://{self.host.web}"
        self.host.data.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        self.host.start()
        self.host.wait_until_ready()
        wait_until(self.has_loop)

    def has_loop(self) -> bool:
        with self.connected():
            return bool(heartbeats.living_loops())

    def connected(self) -> AbstractContextManager[None]:
        return databases.connected(self.database)

    def calls(self) -> Calls:
        """How often each call was made. Cancels and checks count even if they were refused."""
        found: Calls = Counter()
        for (provider, operation), form in OPERATIONS.items():
            for entry in self.sandbox.book.entries(provider, operation):
                if entry.accepted or operation in REFUSABLE:
                    found[form.format(**entry.fields).replace("+", "")] += 1
        return found

    def since(self, before: Calls) -> Calls:
        return self.calls() - before

    def wait_for(self, before: Calls, more: int) -> None:
        """Wait for so many calls since, without waiting for schedules."""

        def were_made() -> bool:
            lifecycle.start_due()
            return self.since(before).total() >= more

        wait_until(were_made, at_most=60)

    def assert_quiet(self, before: Calls) -> None:
        """Nothing is called, although the engine works and schedules come due."""
        end = time.monotonic() + LONG_ENOUGH
        while time.monotonic() < end:
            lifecycle.start_due()
            time.sleep(0.5)
        more = self.since(before)
        assert not more, more

    def account(self, provider: str, name: str, **fields: Any) -> Account:
        """An account with its own login, so that lists of the provider are its own, too."""
        login, secret = f"{name}-login", "secret" if LOGINS[provider][1] else ""
        self.sandbox.add_account(provider, name, login, secret)
        key, secret_key = LOGINS[provider]
        given = {key: login} | ({secret_key: secret} if secret_key else {})
        return make_account(provider, self.sandbox, name=name, credentials=given, **fields)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all processes for a moment, as a snapshot of a file system does."""
        pids = self._freeze()
        while not self._is_writable():
            _signal(pids, signal.SIGCONT)
            time.sleep(0.05)
            pids = self._freeze()
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def _freeze(self) -> list[int]:
        pids = [self.host.pid, *descendants_of(self.host.pid)]
        _signal(pids, signal.SIGSTOP)
        return pids

    def _is_writable(self) -> bool:
        """Whether no stopped process holds the lock of the SQLite file."""
        if connection.vendor != "sqlite":
            return True
        other = sqlite3.connect(self.database, timeout=0.2, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            other.close()
        return True


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
