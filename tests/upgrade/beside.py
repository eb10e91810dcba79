"""A host of the last release and one of the current code, behind one proxy."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import requests

from sandbox.server import Sandbox
from smsportal.processes.programs import cluster
from tests.smsportal.restores.site import LOGINS, Site
from tests.support.hosts import Host
from tests.support.processes import descendants_of, name_of
from tests.support.round_robin import RoundRobin
from tests.upgrade.old_version import MAKE_ACCOUNTS, OldHost

PASSWORD: Final = "a password of the tests"
ROWS: Final = 300
SLOW: Final = {"per_second": 1, "per_minute": 30}
FAST: Final = {"per_second": 500, "per_minute": 30_000}
"""Limits of the account over which the batch goes out, before and after the end of the old host."""
ACCOUNTS: Final = {"bulk": "haorui", "codes": "haosms", "checked": "otpservice", "rent": "gosms"}


class Browser:
    """A member of staff who signs in once, with a password."""

    def __init__(self, address: str, name: str = "chief") -> None:
        self._session = requests.Session()
        self._session.get(f"{address}/login/", timeout=30)
        fields = {
            "username": name,
            "password": PASSWORD,
            "csrfmiddlewaretoken": self._session.cookies["csrftoken"],
            "next": "/",
        }
        self._session.post(f"{address}/login/", data=fields, timeout=30)

    def read(self, url: str) -> str:
        # A new connection for each page, so that a proxy may choose another host.
        answer = requests.get(url, cookies=self._session.cookies.get_dict(), timeout=30)
        assert answer.status_code == 200, (url, answer.status_code)
        assert "/login/" not in answer.url, url
        return answer.text


class Watch(threading.Thread):
    """Reads pages again and again, until it is told to stop."""

    def __init__(self, browser: Browser, urls: list[str]) -> None:
        super().__init__(daemon=True)
        self.browser, self.urls = browser, urls
        self.read, self.failures, self.longest = 0, list[str](), 0.0
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.wait(0.5):
            for url in self.urls:
                began = time.monotonic()
                try:
                    self.browser.read(url)
                except (AssertionError, requests.RequestException) as error:
                    self.failures.append(repr(error))
                self.read += 1
                self.longest = max(self.longest, time.monotonic() - began)

    def stop(self) -> None:
        self._ending.set()
        self.join()


class Upgrade:
    """Both hosts behind one proxy."""

    def __init__(self, folder: Path, sandbox: Sandbox, database: str, proxy: RoundRobin) -> None:
        self.sandbox = sandbox
        self.proxy = proxy
        self.site = Site(folder / "new", sandbox, database)
        self.new = self.site.host
        keys = {name: self.new.environment[name] for name in ("SECRET_KEY", "SECRETS_KEYS")}
        self.old = OldHost(folder / "old", database, **keys)
        for host in (self.old, self.new):
            host.environment["PUBLIC_ADDRESS"] = proxy.url

    def make_accounts(self) -> None:
        made = [self._account(name, provider) for name, provider in ACCOUNTS.items()]
        self.old.call(MAKE_ACCOUNTS, password=PASSWORD, accounts=made)

    def _account(self, name: str, provider: str) -> tuple[object, ...]:
        key, secret_key = LOGINS[provider]
        login = {key: f"{name}-login"} | ({secret_key: "secret"} if secret_key else {})
        self.sandbox.add_account(provider, name, f"{name}-login", "secret" if secret_key else "")
        fields = SLOW if name == "bulk" else {}
        return name, provider, login, self.sandbox.base_url(provider), fields

    def sent(self) -> int:
        return self.sandbox.book.count("haorui", "send")


@contextmanager
def frozen_queue(host: Host, name: str) -> Iterator[None]:
    """Stop one queue of a host for a moment, so that another host does its work."""
    pids = [pid for pid in descendants_of(host.pid) if _runs_queue(pid, name)]
    assert pids
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _runs_queue(pid: int, name: str) -> bool:
    """Whether a process belongs to this queue: by its name or, in 0.1.0, its environment."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return name_of(pid) == cluster(name).name or f"Q_CLUSTER_NAME={name}".encode() in environment


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
