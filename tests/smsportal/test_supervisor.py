"""The supervisor, with children that are a line of Python each.

Nothing here waits a fixed time: a test looks until the thing has happened, and a supervisor
that never did it would be ended by the last resort in `until`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import is_running

ROOT = Path(__file__).resolve().parent.parent.parent
LAST_RESORT = 120.0

OBEDIENT = """
import os, signal, sys, time
def leave(number, frame):
    open({log!r}, "a").write({name!r} + " stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
while True: time.sleep(0.05)
"""
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
while True: time.sleep(0.05)
"""
SHORT_LIVED = """
import os
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
raise SystemExit(3)
"""
# A main process that is killed, as the system kills one that takes too much memory.
PARENT_OF_ONE = """
import os, time
child = os.fork()
if child:
    open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n" + f"worker {{child}}\\n")
while True: time.sleep(0.05)
"""
MAIN = """
from smsportal.supervisor import Program, Supervisor
import os, sys
def changed():
    if os.path.exists({change!r}):
        os.remove({change!r})
        return True
programs = [Program(name, [sys.executable, "-c", code], stop_order=order,
                    silent_for=lambda: {silence!r}, longest_silence=1.0,
                    reloads=name != "sandbox")
            for name, code, order in {programs!r}]
supervisor = Supervisor(programs, say=lambda text: print(text, flush=True),
                        ready=lambda: print("ready", flush=True), changed=changed,
                        grace={grace!r}, first_delay=0.01)
sys.exit(supervisor.run())
"""


class Bench:
    """A supervisor in a process of its own, its output, and the log its children write."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.output = folder / "output"
        self.change = folder / "change"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        *programs: tuple[str, str, int],
        grace: float = LAST_RESORT,
        silence: float = 0.0,
    ) -> None:
        filled = [
            (name, code.format(log=str(self.log), name=name), order)
            for name, code, order in programs
        ]
        main = MAIN.format(programs=filled, grace=grace, silence=silence, change=str(self.change))
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", main],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def pids(self, name: str) -> list[int]:
        words = [line.split() for line in self.lines()]
        return [int(pid) for who, pid in words if who == name and pid.isdigit()]

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def code(self) -> int:
        assert self.process is not None
        return self.process.wait(LAST_RESORT)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    if bench.process is not None and bench.process.poll() is None:
        bench.process.kill()
        bench.process.wait()
    for word in (word for line in bench.lines() for word in line.split() if word.isdigit()):
        if is_running(int(word)):
            os.kill(int(word), signal.SIGKILL)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + LAST_RESORT
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def test_it_stops_everything_on_ctrl_c_and_ends_with_0(bench: Bench) -> None:
    bench.start(("web", OBEDIENT, 0), ("queue", OBEDIENT, 1))
    until(lambda: bench.pids("web") and bench.pids("queue"))
    bench.send(signal.SIGINT)
    assert bench.code() == 0
    assert not any(is_running(pid) for pid in bench.pids("web") + bench.pids("queue"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_stops_on_other_signals_too(bench: Bench, number: signal.Signals) -> None:
    bench.start(("web", OBEDIENT, 0))
    until(lambda: bench.pids("web"))
    bench.send(number)
    assert bench.code() == 0


def test_it_stops_the_lower_order_first(bench: Bench) -> None:
    bench.start(("sandbox", OBEDIENT, 2), ("web", OBEDIENT, 0), ("queue", OBEDIENT, 1))
    until(lambda: len(bench.lines()) == 3)
    bench.send(signal.SIGINT)
    bench.code()
    assert bench.lines()[3:] == ["web stopped", "queue stopped", "sandbox stopped"]


def test_a_signal_to_the_terminals_group_does_not_reach_the_children(bench: Bench) -> None:
    bench.start(("web", OBEDIENT, 0))
    until(lambda: bench.pids("web"))
    assert bench.process is not None
    assert os.getpgid(bench.pids("web")[0]) != os.getpgid(bench.process.pid)


def test_it_kills_what_does_not_stop_within_the_grace(bench: Bench) -> None:
    bench.start(("queue", DEAF, 0), grace=0.2)
    until(lambda: bench.pids("queue"))
    bench.send(signal.SIGTERM)
    assert bench.code() == 1
    assert "The queue did not stop in time and is killed." in bench.said()
    assert not is_running(bench.pids("queue")[0])


def test_a_second_ctrl_c_kills_at_once(bench: Bench) -> None:
    bench.start(("queue", DEAF, 0))
    until(lambda: bench.pids("queue"))
    bench.send(signal.SIGINT)
    until(lambda: "Stopping." in bench.said())
    bench.send(signal.SIGINT)
    assert bench.code() == 1
    assert not is_running(bench.pids("queue")[0])


def test_it_restarts_what_dies_and_says_so(bench: Bench) -> None:
    bench.start(("engine", SHORT_LIVED, 0))
    until(lambda: len(bench.pids("engine")) >= 3)
    bench.send(signal.SIGINT)
    assert bench.code() == 0
    assert "The engine ended with code 3. Starting it again in 0.01 s." in bench.said()
    assert "The engine ended with code 3. Starting it again in 0.02 s." in bench.said()


def test_changed_files_start_programs_again_that_reload(bench: Bench) -> None:
    bench.start(("web", OBEDIENT, 0), ("sandbox", OBEDIENT, 1))
    until(lambda: bench.pids("web") and bench.pids("sandbox"))
    bench.change.touch()
    until(lambda: len(bench.pids("web")) == 2)
    assert "web stopped" in bench.lines()
    assert len(bench.pids("sandbox")) == 1
    assert "Source files changed." in bench.said()
    assert "ended with code" not in bench.said()


def test_a_change_starts_at_once_what_fell_over(bench: Bench) -> None:
    bench.start(("web", SHORT_LIVED, 0))
    until(lambda: "Starting it again in 5.12 s." in bench.said())
    bench.change.touch()
    until(lambda: bench.said().count("Starting it again in 0.01 s.") == 2)
    assert "10.24 s" not in bench.said()


def test_what_a_dead_program_leaves_behind_is_killed(bench: Bench) -> None:
    bench.start(("queue", PARENT_OF_ONE, 0))
    until(lambda: bench.pids("worker"))
    os.kill(bench.pids("queue")[0], signal.SIGKILL)
    until(lambda: len(bench.pids("queue")) == 2)
    assert "The queue was ended by SIGKILL." in bench.said()
    until(lambda: not is_running(bench.pids("worker")[0]))


def test_what_gives_no_sign_of_life_is_killed_and_started_again(bench: Bench) -> None:
    bench.start(("queue", DEAF, 0), silence=1000.0)
    until(lambda: len(bench.pids("queue")) == 2)
    assert "The queue gives no sign of life and is killed." in bench.said()
    assert not is_running(bench.pids("queue")[0])


def test_what_gives_a_sign_of_life_is_left_alone(bench: Bench) -> None:
    bench.start(("queue", OBEDIENT, 0), ("engine", SHORT_LIVED, 0), silence=0.0)
    until(lambda: len(bench.pids("engine")) >= 5)
    assert len(bench.pids("queue")) == 1
    assert "sign of life" not in bench.said()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's prctl")
def test_the_programs_stop_when_the_supervisor_itself_is_killed(bench: Bench) -> None:
    bench.start(("web", OBEDIENT, 0), ("queue", OBEDIENT, 1))
    until(lambda: bench.pids("web") and bench.pids("queue"))
    bench.send(signal.SIGKILL)
    until(lambda: {"web stopped", "queue stopped"} <= set(bench.lines()))


def test_it_says_once_that_everything_answers(bench: Bench) -> None:
    bench.start(("web", OBEDIENT, 0), ("queue", OBEDIENT, 1))
    until(lambda: "ready" in bench.said())
    bench.send(signal.SIGINT)
    bench.code()
    assert bench.said().count("ready") == 1
