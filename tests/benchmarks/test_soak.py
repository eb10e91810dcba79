"""What a soak run concludes from what it noted, and a short run."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.soak.checks import unexpected_exceptions
from benchmarks.soak.faults import FAULTS, plan
from benchmarks.soak.past import Past, is_lost, may_repeat
from benchmarks.soak.samples import Memory
from benchmarks.soak.stores import SQLiteStore

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT = 800.0


def test_seed_repeats_the_plan_of_faults() -> None:
    first, second, other = (
        [(one.fault.name, one.gap, one.seed) for one in islice(plan(seed, list(FAULTS)), 50)]
        for seed in (7, 7, 8)
    )
    assert first == second
    assert first != other


def test_only_what_was_noted_between_backup_and_restore_is_lost_lawfully() -> None:
    past = Past(backed_up_at=100.0, restored_at=200.0)
    assert is_lost(past, [150.0])
    assert not is_lost(past, [150.0, 300.0])
    assert not is_lost(past, [50.0])
    assert not is_lost(None, [150.0])


@pytest.mark.parametrize(
    ("times", "allowed"),
    [
        ([150.0, 250.0], True),
        ([150.0, 250.0, 260.0], False),
        ([150.0, 160.0], False),
        ([250.0, 260.0], False),
    ],
)
def test_released_call_may_be_repeated_once_after_the_restore(
    times: list[float], allowed: bool
) -> None:
    past = Past(backed_up_at=100.0, restored_at=200.0, released={"one"})
    assert may_repeat(past, "one", times) == allowed
    assert not may_repeat(past, "other", times)


def test_log_is_searched_for_exceptions_that_no_fault_explains(tmp_path: Path) -> None:
    log = tmp_path / "host1.log"
    trace = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    f()\n'
    log.write_text(
        f"{trace}django.db.utils.OperationalError: the database is away\n"
        f"{trace}AttributeError: x\n\nDuring handling of the above exception, another exception"
        f" occurred:\n\n{trace}django.db.utils.OperationalError: away\n"
        f"{trace}KeyError: 'x'\n{trace}OSError: [Errno 28] No space left on device\n"
    )
    assert unexpected_exceptions(log) == ["host1 logged 1 times: KeyError: 'x'"]


def test_missing_table_is_expected_during_a_restore_only(tmp_path: Path) -> None:
    log = tmp_path / "host1.log"
    line = 'django.db.utils.ProgrammingError: relation "providers_fence" does not exist'
    log.write_text(f"Traceback (most recent call last):\n  x\n{line}\n")
    assert unexpected_exceptions(log) == [f"host1 logged 1 times: {line}"]
    assert not unexpected_exceptions(log, restored=True)


def grown(megabytes_a_minute: float) -> list[str]:
    memory = Memory()
    series = [(10.0 * index, 80 + megabytes_a_minute * index / 6) for index in range(180)]
    memory.note("host1", "engine loop", 1, series)
    return list(memory.growing())


def test_process_that_keeps_growing_is_found() -> None:
    assert not grown(0.2)
    assert grown(1.5) == ["engine loop 1 on host1 grew from 89 to 118 MB"]


def test_backup_brings_the_rows_of_its_time_back(tmp_path: Path) -> None:
    import sqlite3

    folder = tmp_path / "data"
    folder.mkdir()
    store = SQLiteStore(folder)

    def execute(sql: str) -> list[tuple[int]]:
        with sqlite3.connect(folder / "portal.sqlite3") as connection:
            return list(connection.execute(sql))

    execute("PRAGMA journal_mode=WAL")
    execute("CREATE TABLE row (number INTEGER)")
    execute("INSERT INTO row VALUES (1)")
    store.back_up()
    execute("INSERT INTO row VALUES (2)")
    store.restore()
    assert execute("SELECT number FROM row") == [(1,)]


def run(*options: str) -> None:
    """Run a soak. It starts and stops processes of its own, a database server included."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *options],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.each_database
@pytest.mark.timeout(TIMEOUT + 60)
@pytest.mark.skipif(not os.environ.get("TEST_DATABASE_URL"), reason="SQLite serves one host")
def test_two_hosts_survive_a_database_that_is_away_or_read_only() -> None:
    faults = ("--only", "database", "readonly", "connections")
    run("--minutes", "1", "--seed", "15", "--database", "postgresql", "--hosts", "2", *faults)


@pytest.mark.long
@pytest.mark.each_database
@pytest.mark.timeout(TIMEOUT + 60)
def test_short_run_breaks_no_promise() -> None:
    database = "postgresql" if os.environ.get("TEST_DATABASE_URL") else "sqlite"
    run("--minutes", "2", "--seed", "7", "--database", database)
