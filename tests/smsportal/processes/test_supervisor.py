"""The supervisor, with short Python scripts as programs.

No test waits a fixed time. Each polls until the expected event, or fails after the timeout of
`until`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsportal.processes.supervisor import Child, Program, Supervisor
from tests.support.processes import children_of, descendants_of, is_running

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT = 120.0

STOPS_ON_SIGTERM = """
import os, signal, sys, time
def leave(number, frame):
    open({log!r}, "a").write({name!r} + " stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
while True: time.sleep(0.05)
"""
IGNORES_SIGTERM = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
while True: time.sleep(0.05)
"""
EXITS_AT_ONCE = """
import os
open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n")
raise SystemExit(3)
"""
# A main process that the test kills, as the system kills one that uses too much memory.
HAS_A_CHILD = """
import os, time
child = os.fork()
if child:
    open({log!r}, "a").write({name!r} + f" {{os.getpid()}}\\n" + f"worker {{child}}\\n")
while True: time.sleep(0.05)
"""
MAIN = """
from smsportal.log_lines import write_line
from smsportal.processes.supervisor import Program, Supervisor, start_command
import errno, os, sys
def changed():
    if os.path.exists({change!r}):
        os.remove({change!r})
        return True
def start(program):
    if program.name == "limited" and not os.path.exists({ready!r}):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return start_command(program)
programs = [Program(name, [sys.executable, "-c", code], stop_order=order,
                    silent_for=lambda: {silence!r}, max_silence=1.0,
                    reloads=name != "sandbox", needs="first" if name == "second" else "",
                    ready=(lambda: os.path.exists({ready!r})) if name == "first" else None,
                    start=start)
            for name, code, order in {programs!r}]
supervisor = Supervisor(programs, report=write_line,
                        ready=lambda: write_line("ready"), changed=changed,
                        grace={grace!r}, first_delay=0.01)
sys.exit(supervisor.run())
"""


class Bench:
    """A supervisor in a separate process, its output, and the log that its programs write."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.output = folder / "output"
        self.change = folder / "change"
        self.ready = folder / "ready"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        *programs: tuple[str, str, int],
        grace: float = TIMEOUT,
        silence: float = 0.0,
        prefix: tuple[str, ...] = (),
    ) -> None:
        filled = [
            (name, code.format(log=str(self.log), name=name), order)
            for name, code, order in programs
        ]
        main = MAIN.format(
            programs=filled,
            grace=grace,
            silence=silence,
            change=str(self.change),
            ready=str(self.ready),
        )
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-c", main],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def read_output(self) -> str:
        return self.output.read_text()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def pids(self, name: str) -> list[int]:
        words = [line.split() for line in self.lines()]
        return [int(pid) for owner, pid in words if owner == name and pid.isdigit()]

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def exit_code(self) -> int:
        assert self.process is not None
        return self.process.wait(TIMEOUT)


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


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def test_ctrl_c_stops_all_programs_with_exit_code_0(bench: Bench) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0), ("queue", STOPS_ON_SIGTERM, 1))
    until(lambda: bench.pids("web") and bench.pids("queue"))
    bench.send(signal.SIGINT)
    assert bench.exit_code() == 0
    assert not any(is_running(pid) for pid in bench.pids("web") + bench.pids("queue"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_all_programs(bench: Bench, number: signal.Signals) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0))
    until(lambda: bench.pids("web"))
    bench.send(number)
    assert bench.exit_code() == 0


def test_lower_stop_order_stops_first(bench: Bench) -> None:
    bench.start(
        ("sandbox", STOPS_ON_SIGTERM, 2),
        ("web", STOPS_ON_SIGTERM, 0),
        ("queue", STOPS_ON_SIGTERM, 1),
    )
    until(lambda: len(bench.lines()) == 3)
    bench.send(signal.SIGINT)
    bench.exit_code()
    assert bench.lines()[3:] == ["web stopped", "queue stopped", "sandbox stopped"]


def test_programs_are_outside_the_process_group_of_the_terminal(bench: Bench) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0))
    until(lambda: bench.pids("web"))
    assert bench.process is not None
    assert os.getpgid(bench.pids("web")[0]) != os.getpgid(bench.process.pid)


def test_program_that_exceeds_the_grace_is_killed(bench: Bench) -> None:
    bench.start(("queue", IGNORES_SIGTERM, 0), grace=0.2)
    until(lambda: bench.pids("queue"))
    bench.send(signal.SIGTERM)
    assert bench.exit_code() == 1
    assert "The queue did not stop in time and is killed." in bench.read_output()
    assert not is_running(bench.pids("queue")[0])


def test_second_ctrl_c_kills_immediately(bench: Bench) -> None:
    bench.start(("queue", IGNORES_SIGTERM, 0))
    until(lambda: bench.pids("queue"))
    bench.send(signal.SIGINT)
    until(lambda: "Stopping." in bench.read_output())
    bench.send(signal.SIGINT)
    assert bench.exit_code() == 1
    assert not is_running(bench.pids("queue")[0])


def test_exited_program_is_restarted_with_backoff(bench: Bench) -> None:
    bench.start(("engine", EXITS_AT_ONCE, 0))
    until(lambda: len(bench.pids("engine")) >= 3)
    bench.send(signal.SIGINT)
    assert bench.exit_code() == 0
    assert "The engine ended with code 3. Starting it again in 0.01 s." in bench.read_output()
    assert "The engine ended with code 3. Starting it again in 0.02 s." in bench.read_output()


def test_changed_files_restart_programs_that_reload(bench: Bench) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0), ("sandbox", STOPS_ON_SIGTERM, 1))
    until(lambda: bench.pids("web") and bench.pids("sandbox"))
    bench.change.touch()
    until(lambda: len(bench.pids("web")) == 2)
    assert "web stopped" in bench.lines()
    assert len(bench.pids("sandbox")) == 1
    assert "Source files changed." in bench.read_output()
    assert "ended with code" not in bench.read_output()


def test_changed_files_cancel_the_backoff(bench: Bench) -> None:
    bench.start(("web", EXITS_AT_ONCE, 0))
    until(lambda: "Starting it again in 5.12 s." in bench.read_output())
    bench.change.touch()
    until(lambda: bench.read_output().count("Starting it again in 0.01 s.") == 2)
    assert "10.24 s" not in bench.read_output()


def test_program_starts_when_what_it_needs_is_ready(bench: Bench) -> None:
    bench.start(("second", STOPS_ON_SIGTERM, 0), ("first", STOPS_ON_SIGTERM, 1))
    until(lambda: bench.pids("first"))
    assert not bench.pids("second")
    bench.ready.touch()
    until(lambda: bench.pids("second"))


def test_changed_files_restart_what_others_need_before_them(bench: Bench) -> None:
    bench.ready.touch()
    bench.start(("second", STOPS_ON_SIGTERM, 0), ("first", STOPS_ON_SIGTERM, 1))
    until(lambda: bench.pids("second"))
    bench.change.touch()
    until(lambda: len(bench.pids("second")) == 2)
    first, second = bench.pids("first"), bench.pids("second")
    order = [int(word) for line in bench.lines() for word in line.split() if word.isdigit()]
    assert order == [first[0], second[0], first[1], second[1]]


def test_program_that_the_system_does_not_start_is_tried_again(bench: Bench) -> None:
    bench.start(("limited", STOPS_ON_SIGTERM, 0), ("queue", STOPS_ON_SIGTERM, 1))
    until(lambda: "Trying again in 0.02 s." in bench.read_output())
    assert "The limited could not be started: Resource temporarily" in bench.read_output()
    until(lambda: bench.pids("queue"))
    bench.ready.touch()
    until(lambda: bench.pids("limited"))
    assert len(bench.pids("queue")) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_full_disk_under_the_output_does_not_kill_the_programs(bench: Bench) -> None:
    bench.output = Path("/dev/full")
    bench.start(("web", EXITS_AT_ONCE, 0), ("queue", STOPS_ON_SIGTERM, 1))
    until(lambda: len(bench.pids("web")) >= 3 and bench.pids("queue"))
    bench.send(signal.SIGINT)
    bench.exit_code()
    assert "queue stopped" in bench.lines()


def test_orphans_of_a_dead_program_are_killed(bench: Bench) -> None:
    bench.start(("queue", HAS_A_CHILD, 0))
    until(lambda: bench.pids("worker"))
    os.kill(bench.pids("queue")[0], signal.SIGKILL)
    until(lambda: len(bench.pids("queue")) == 2)
    assert "The queue was ended by SIGKILL." in bench.read_output()
    until(lambda: not is_running(bench.pids("worker")[0]))


def can_unshare() -> bool:
    tried = subprocess.run([*AS_PROCESS_1, "true"], capture_output=True, check=False)
    return tried.returncode == 0


AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child")


@pytest.mark.skipif(
    shutil.which("unshare") is None or not can_unshare(), reason="needs a namespace of its own"
)
def test_orphans_are_collected_as_process_1_of_a_container(bench: Bench) -> None:
    bench.start(("queue", HAS_A_CHILD, 0), prefix=AS_PROCESS_1)
    until(lambda: bench.pids("worker"))
    assert bench.process is not None
    (supervisor,) = children_of(bench.process.pid)
    (queue,) = children_of(supervisor)
    os.kill(queue, signal.SIGKILL)
    until(lambda: len(bench.pids("queue")) == 2)
    until(lambda: not [pid for pid in descendants_of(supervisor) if not is_running(pid)])
    assert "The queue was ended by SIGKILL." in bench.read_output()
    bench.process.terminate()


def test_output_is_passed_on_without_waiting(tmp_path: Path) -> None:
    found: list[bytes] = []
    code = "import time; print('12.5 engine', flush=True); time.sleep(600)"
    program = Program("vitals", [sys.executable, "-c", code], read_output=found.append)
    child = Child(program, first_delay=1, max_delay=1)
    child.start()
    try:
        while not found:
            child.read_output()
            time.sleep(0.02)
        child.read_output()
        assert found == [b"12.5 engine\n"]
    finally:
        child.kill()


def test_silent_program_is_killed_and_restarted(bench: Bench) -> None:
    bench.start(("queue", IGNORES_SIGTERM, 0), silence=1000.0)
    until(lambda: len(bench.pids("queue")) == 2)
    assert "The queue gives no sign of life and is killed." in bench.read_output()
    assert not is_running(bench.pids("queue")[0])


def test_program_with_heartbeats_keeps_running(bench: Bench) -> None:
    bench.start(("queue", STOPS_ON_SIGTERM, 0), ("engine", EXITS_AT_ONCE, 0), silence=0.0)
    until(lambda: len(bench.pids("engine")) >= 5)
    assert len(bench.pids("queue")) == 1
    assert "sign of life" not in bench.read_output()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's prctl")
def test_programs_stop_if_the_supervisor_is_killed(bench: Bench) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0), ("queue", STOPS_ON_SIGTERM, 1))
    until(lambda: bench.pids("web") and bench.pids("queue"))
    bench.send(signal.SIGKILL)
    until(lambda: {"web stopped", "queue stopped"} <= set(bench.lines()))


def test_readiness_is_reported_once(bench: Bench) -> None:
    bench.start(("web", STOPS_ON_SIGTERM, 0), ("queue", STOPS_ON_SIGTERM, 1))
    until(lambda: "ready" in bench.read_output())
    bench.send(signal.SIGINT)
    bench.exit_code()
    assert bench.read_output().count("ready") == 1


class Unkillable:
    """A process in a state in which the kernel does not end it."""

    pid = 2**30
    stdout = None

    def __init__(self, program: Program) -> None:
        pass

    def poll(self) -> int | None:
        return None

    def wait(self) -> int:
        raise AssertionError("it would wait without end")

    def terminate(self) -> None:
        pass


def test_process_that_cannot_be_killed_is_said_once_and_does_not_keep_the_supervisor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smsportal.processes.supervisor.KILL_SECONDS", 0.05)
    lines: list[str] = []
    rounds = iter(range(1_000))

    def changed() -> bool:
        # Enough to look several times, then a second Ctrl-C.
        supervisor.signals = 2 if next(rounds) == 3 else 0
        return False

    program = Program("web server", (), silent_for=lambda: 99, max_silence=0, start=Unkillable)
    supervisor = Supervisor([program], report=lines.append, changed=changed)
    monkeypatch.setattr("smsportal.processes.supervisor.CHANGE_CHECK_EVERY", 0.1)
    assert supervisor.run() == 1
    said = "The web server was killed, but the system does not end it."
    assert lines.count(said) == 1
    assert lines.count("The web server gives no sign of life and is killed.") == 1
