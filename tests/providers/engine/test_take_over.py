"""Sending continues within 10 seconds, whichever processes of the engine are killed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import pytest
from django.db import connection

from providers.engine import heartbeats, wake
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import queue_texts
from tests.support.engine_host import EngineHost, engine_hosts, kill
from tests.support.wait_until import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WITHIN = 10.0
ACCOUNTS = 3
"""One loop of four is on standby on two hosts."""
WATCHED = 16.0

KINDS: dict[str, Callable[[EngineHost], list[int]]] = {
    "main": lambda host: [host.main],
    "sentinel": lambda host: [host.sentinel],
    "main and sentinel": lambda host: [host.main, host.sentinel],
    "active workers": lambda host: host.workers(active=True),
    "standby workers": lambda host: host.workers(active=False),
    "workers": lambda host: host.running("worker"),
    "pusher": lambda host: host.running("pusher"),
    "monitor": lambda host: host.running("monitor"),
    "all": lambda host: [
        host.main,
        host.sentinel,
        *(pid for role in ("worker", "pusher", "monitor") for pid in host.running(role)),
    ],
}


def hosts_here() -> int:
    return 2 if connection.vendor == "postgresql" else 1


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


@pytest.fixture
def hosts(tmp_path: Path, sandbox: Sandbox) -> Iterator[list[EngineHost]]:
    """Hosts whose loops all serve their accounts, with more work than the test takes."""
    for number in range(ACCOUNTS):
        login = {"api_id": f"id {number}", "api_password": "a password"}
        sandbox.add_account("haorui", f"account {number}", *login.values())
        account = make_account(
            "haorui", sandbox, credentials=login, in_flight=2, per_second=5, per_minute=300
        )
        queue_texts(account, 400)
    wake.keep_running()
    with engine_hosts(tmp_path, hosts_here()) as running:
        wait_until(lambda: len(heartbeats.sharing_loops()) == 2 * hosts_here())
        wait_until(lambda: len(calls_by_account(sandbox)) == ACCOUNTS)
        # The accounts are shared again once all loops have joined.
        time.sleep(10)
        yield running


def calls_by_account(sandbox: Sandbox) -> dict[str, list[float]]:
    calls: dict[str, list[float]] = defaultdict(list)
    for entry in sandbox.book.entries("haorui", "send"):
        calls[entry.account].append(entry.monotonic)
    return calls


def longest_gap(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


ALWAYS = {
    ("main and sentinel", "every host"),
    ("active workers", "one host"),
    ("monitor", "one host"),
    ("all", "one host"),
}
"""The kills that `make test-rest` tries. Each takes half a minute."""


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        pytest.param(*case, marks=() if case in ALWAYS else pytest.mark.long)
        for case in product(KINDS, ("one host", "every host"))
    ],
)
def test_calls_continue_after_a_kill(
    hosts: list[EngineHost],
    sandbox: Sandbox,
    kind: str,
    where: str,
) -> None:
    struck = hosts if where == "every host" else hosts[:1]
    pids = [pid for host in struck for pid in KINDS[kind](host)]
    killed_at = kill(pids)
    time.sleep(WATCHED)

    gaps = [
        longest_gap([killed_at, *(at for at in times if at > killed_at), time.monotonic()])
        for times in calls_by_account(sandbox).values()
    ]
    assert len(gaps) == ACCOUNTS
    assert max(gaps) <= WITHIN, gaps
    assert sandbox.book.repeated() == []


def test_second_kill_is_survived_as_fast(hosts: list[EngineHost], sandbox: Sandbox) -> None:
    for _ in range(2):
        killed_at = kill([pid for host in hosts for pid in (host.main, host.sentinel)])
        wait_until(partial(is_called_after, sandbox, killed_at + 0.5))
        assert time.monotonic() - killed_at <= WITHIN


def is_called_after(sandbox: Sandbox, moment: float) -> bool:
    return any(entry.monotonic > moment for entry in sandbox.book.entries("haorui", "send"))
