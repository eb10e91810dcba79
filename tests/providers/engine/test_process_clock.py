"""A real loop in a process whose wall clock is set, on SQLite, which reads the same clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from django.db import connection

from messaging.models import Message
from providers.models import Account, ApiCall
from sandbox.server import Sandbox
from smsportal.configuration.environment import BASE_DIR
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.engine.cluster import wait_for
from tests.support.preload import compile_library, needs_preload

PROGRAM: Final = """
import django
django.setup()
from providers.engine.loop import Loop
Loop(lambda: False).run()
"""
TAKEN_OVER: Final = 60.0
"""Seconds within which messages are sent again, on a busy machine."""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    needs_preload,
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


class Engine:
    """A loop in a process of its own, with a wall clock that can be set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = compile_library("wall_clock", folder)
        self._offset = folder / "offset"
        self.set_clock(0)
        self._process: subprocess.Popen[bytes] | None = None

    def set_clock(self, seconds: int) -> None:
        # Renamed, so that the process reads the old or the new one.
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self._offset)

    def start(self) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.providers.engine.cluster_settings",
            "TEST_CLUSTER_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_CLUSTER_CACHE": str(self._folder / "cache"),
            "LD_PRELOAD": str(self._library),
            "WALL_CLOCK_OFFSET": str(self._offset),
        }
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                cwd=BASE_DIR,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite only")
    engine = Engine(tmp_path)
    yield engine
    engine.kill()


def queue_and_set_clock(engine: Engine, account: Account, seconds: int) -> None:
    queue_messages(account, 5)
    engine.set_clock(seconds)


def queue_and_set_clock_while_down(engine: Engine, account: Account, seconds: int) -> None:
    # Before the messages are queued: a call that is killed in flight would end as unknown.
    engine.kill()
    queue_messages(account, 5)
    engine.set_clock(seconds)
    engine.start()


def queue_messages(account: Account, number: int) -> None:
    """Queue messages by the clock of this process, which is never set."""
    for _ in range(number):
        make_message(account)


@pytest.mark.parametrize("seconds", [-3600, pytest.param(-86_400, marks=pytest.mark.long), 3600])
@pytest.mark.parametrize("queue_and_set", [queue_and_set_clock, queue_and_set_clock_while_down])
def test_messages_are_sent_soon_after_the_clock_was_set(
    engine: Engine,
    sandbox: Sandbox,
    queue_and_set: Callable[[Engine, Account, int], None],
    seconds: int,
) -> None:
    account = make_account("haorui", sandbox)
    queue_messages(account, 3)
    engine.start()
    wait_for(lambda: Message.objects.filter(state="submitted").count() == 3, "the first sends")

    queue_and_set(engine, account, seconds)
    started = time.monotonic()
    wait_for(lambda: Message.objects.filter(state="submitted").count() == 8, "the other sends")
    wait_for(lambda: ApiCall.objects.count() == 8, "the journal")

    assert time.monotonic() - started < TAKEN_OVER
    assert sandbox.book.repeated() == []
    assert len(sandbox.book.entries()) == 8
