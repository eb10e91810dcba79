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
from providers.models import ApiCall
from sandbox.server import Sandbox
from smsportal.environment import BASE_DIR
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


def set_while_running(engine: Engine, seconds: int) -> None:
    engine.set_clock(seconds)


def set_while_down(engine: Engine, seconds: int) -> None:
    engine.kill()
    engine.set_clock(seconds)
    engine.start()


@pytest.mark.parametrize("seconds", [-3600, -86_400, 3600])
@pytest.mark.parametrize("set_clock", [set_while_running, set_while_down])
def test_messages_are_sent_soon_after_the_clock_was_set(
    engine: Engine, sandbox: Sandbox, set_clock: Callable[[Engine, int], None], seconds: int
) -> None:
    account = make_account("haorui", sandbox)
    messages = [make_message(account) for _ in range(3)]
    engine.start()
    wait_for(lambda: Message.objects.filter(state="submitted").count() == 3, "the first sends")

    # Queued by the clock as it was before.
    messages += [make_message(account) for _ in range(5)]
    set_clock(engine, seconds)
    started = time.monotonic()
    wait_for(lambda: Message.objects.filter(state="submitted").count() == 8, "the other sends")
    wait_for(lambda: ApiCall.objects.count() == 8, "the journal")

    assert time.monotonic() - started < TAKEN_OVER
    assert sandbox.book.repeated() == []
    assert len(sandbox.book.entries()) == 8
