"""What SQLite keeps in a power cut: a marked row does not come back as queued.

A child process works on a database in a folder. A library that is loaded into it keeps a copy of
each file as it was at its last sync. The cut kills the process and leaves those copies alone.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from django.db import connection

from providers.callbacks.tokens import known_tokens
from providers.models import CallbackToken
from sandbox.server import Sandbox
from smsportal.configuration.environment import BASE_DIR
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.engine.cluster import wait_for
from tests.support.preload import compile_library, needs_preload

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    needs_preload,
]

NUMBER: Final = 6
SETUP: Final = """
import os, sys, django
from django.conf import settings
options = settings.DATABASES["default"]["OPTIONS"]
options["init_command"] = options["init_command"].replace("FULL", sys.argv[1])
django.setup()
from core import database_sessions
if sys.argv[1] != "FULL":
    database_sessions._set_synchronous = lambda mode: None
"""
ENGINE: Final = f"""{SETUP}
from providers.engine.loop import Loop
Loop(lambda: False).run()
"""
CALLBACK: Final = f"""{SETUP}
from providers.callbacks.store import IncomingCallback, store
from providers.callbacks.tokens import known_tokens
store(IncomingCallback("POST", "", b"a report", "text/plain", ""), known_tokens.find(sys.argv[2]))
print("stored", flush=True)
import time; time.sleep(600)
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


class Machine:
    """A machine with one database, a copy of the test's, and a plug."""

    def __init__(self, folder: Path) -> None:
        self.library = compile_library("power_cut", folder)
        self.disk = folder / "disk"
        self.disk.mkdir()
        self.database = self.disk / "portal.sqlite3"
        connection.close()
        with (
            sqlite3.connect(str(connection.settings_dict["NAME"])) as original,
            sqlite3.connect(self.database) as copy,
        ):
            original.backup(copy)
        shutil.copy(self.database, f"{self.database}.durable")
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.providers.engine.cluster_settings",
            "TEST_CLUSTER_DATABASE": str(self.database),
            "TEST_CLUSTER_CACHE": str(self.disk / "cache"),
            "LD_PRELOAD": str(self.library),
            "POWER_CUT_FOLDER": str(self.disk),
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *arguments],
                cwd=BASE_DIR,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def cut_power(self) -> sqlite3.Connection:
        """Pull the plug. Returns the database as it is found afterwards."""
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()
        self.process.kill()
        self.process.wait()
        for name in ("", "-wal", "-shm"):
            file, durable = Path(f"{self.database}{name}"), Path(f"{self.database}{name}.durable")
            file.unlink(missing_ok=True)
            if durable.exists():
                durable.rename(file)
        return sqlite3.connect(self.database)


@pytest.fixture
def start_machine(tmp_path: Path) -> Iterator[Callable[[], Machine]]:
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite only")
    made: list[Machine] = []

    def start() -> Machine:
        made.append(Machine(tmp_path))
        return made[-1]

    yield start
    for machine in made:
        if machine.process is not None:
            machine.process.kill()
            machine.process.wait()


def states_after_power_cut(
    start_machine: Callable[[], Machine], sandbox: Sandbox, mode: str
) -> set[str]:
    """Cut the power while the provider has all calls. Returns the states of their rows."""
    sandbox.fault("never_answers", provider="haorui", calls=None)
    account = make_account("haorui", sandbox, in_flight=NUMBER)
    for _ in range(NUMBER):
        make_message(account)
    machine = start_machine()
    machine.run(ENGINE, mode)
    wait_for(lambda: len(sandbox.book.entries()) == NUMBER, "the calls")
    with machine.cut_power() as found:
        return {state for (state,) in found.execute("SELECT state FROM messaging_message")}


def test_marked_rows_are_not_queued_again_after_a_power_cut(
    start_machine: Callable[[], Machine], sandbox: Sandbox
) -> None:
    assert states_after_power_cut(start_machine, sandbox, "FULL") == {"sending"}


def test_marked_rows_would_be_queued_again_if_commits_were_not_synced(
    start_machine: Callable[[], Machine], sandbox: Sandbox
) -> None:
    """The same test finds the fault in the setting that SQLite recommends for WAL."""
    assert states_after_power_cut(start_machine, sandbox, "NORMAL") & {"queued", "claimed"}


@pytest.mark.parametrize(("mode", "number"), [("FULL", 1), ("NORMAL", 0)])
def test_callback_that_was_answered_is_stored(
    start_machine: Callable[[], Machine], mode: str, number: int
) -> None:
    make_account("haorui")
    token = CallbackToken.objects.get().value.reveal()
    known_tokens.invalidate()
    machine = start_machine()
    machine.run(CALLBACK, mode, token)
    wait_for(lambda: "stored" in machine.output.read_text(), "the callback")
    with machine.cut_power() as found:
        assert found.execute("SELECT count(*) FROM providers_callback").fetchone() == (number,)
