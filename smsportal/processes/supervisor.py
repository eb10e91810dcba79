"""Runs the portal's processes in parallel and stops them in order. Independent of Django.

Every program runs in its own session, so that Ctrl-C in the terminal reaches only the supervisor.
django-q2 hangs if its workers receive the signal, too; it needs a SIGTERM to its main process
alone. It also sets no limit on how long it drains, so the supervisor sets one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from ..configuration.addresses import Address, answers
from .process_control import Process, describe_exit, ended_child, kill_group, terminate_with_parent
from .service_manager import ServiceManager, environment_of_programs

TICK = 0.1
STABLE_AFTER = 20.0
MIN_STOP_SECONDS = 3.0
KILL_SECONDS = 5.0
SILENCE_CHECK_EVERY = 5.0
CHANGE_CHECK_EVERY = 1.0


def start_command(program: Program) -> Process:
    return subprocess.Popen(  # noqa: S603
        program.command,
        env={**environment_of_programs(os.environ), **program.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program.read_output else None,
        start_new_session=True,
        preexec_fn=terminate_with_parent(os.getpid()),
    )


@dataclass(frozen=True)
class Program:
    """One process to keep running.

    `stop_order`: lower numbers stop first, equal ones together.
    `address`: accepts connections once the program is ready, if it listens.
    `silent_for`: returns the seconds since the last heartbeat. Above `max_silence` the program is
    considered hung and is killed: a django-q2 cluster can hang while its process is alive.
    `read_output`: receives what the program writes to its standard output.
    `reloads`: whether the program restarts when source files change.
    `start`: starts the process, by default with the command. Returns None if that has to wait.
    `needs`: the name of a program that must be ready before, if any.
    `ready`: says whether the program is ready, if neither its address nor its process does.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_order: int = 0
    address: Address | None = None
    silent_for: Callable[[], float] | None = None
    max_silence: float = 600
    read_output: Callable[[bytes], None] | None = None
    reloads: bool = True
    start: Callable[[Program], Process | None] = start_command
    needs: str = ""
    ready: Callable[[], bool] | None = None


class Child:
    """A program, its process, and the time of the next restart."""

    def __init__(self, program: Program, first_delay: float, max_delay: float) -> None:
        self.program = program
        self.process: Process | None = None
        self.delay = self.first_delay = first_delay
        self.max_delay = max_delay
        self.started = self.start_at = self.check_at = 0.0
        self.was_silent = self.is_restarting = self.is_stuck = False

    def start(self) -> None:
        self.started = self.check_at = time.monotonic()
        self.was_silent = self.is_restarting = self.is_stuck = False
        self.process = self.program.start(self.program)
        if self.process is not None and self.process.stdout is not None:
            os.set_blocking(self.process.stdout.fileno(), False)

    def poll_exit(self) -> int | None:
        """The exit code, once, after the process has exited. Kills what is left of its session."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        kill_group(self.process.pid)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def read_output(self) -> None:
        """Pass on what the program has written, without waiting for more."""
        if self.program.read_output is None or self.process is None or not self.process.stdout:
            return
        try:
            self.program.read_output(os.read(self.process.stdout.fileno(), 65536))
        except BlockingIOError:
            return

    def schedule_restart(self) -> float:
        """Set the time of the next start, with exponential backoff. Returns the delay."""
        if time.monotonic() - self.started > STABLE_AFTER:
            self.delay = self.first_delay
        delay, self.delay = self.delay, min(self.delay * 2, self.max_delay)
        self.start_at = time.monotonic() + delay
        return delay

    def is_hanging(self) -> bool:
        """Whether the last heartbeat, or else the start, is too long ago.

        Two checks in a row must agree. Heartbeats are in the database: after an outage, the first
        check may come before the program's next heartbeat.
        """
        now = time.monotonic()
        silent_for = self.program.silent_for
        if self.process is None or silent_for is None or now < self.check_at:
            return False
        self.check_at = now + min(SILENCE_CHECK_EVERY, self.program.max_silence)
        silence = min(now - self.started, silent_for())
        was_silent, self.was_silent = self.was_silent, silence > self.program.max_silence
        return was_silent and self.was_silent

    def restart(self) -> None:
        """Stop the process and start it again without delay. Cancels a pending backoff."""
        self.delay, self.start_at = self.first_delay, 0.0
        if self.process is not None and not self.is_restarting:
            self.is_restarting = True
            self.terminate()

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> int | None:
        """The exit code. None if it does not end, such as while the kernel waits for a disk."""
        if self.process is not None:
            kill_group(self.process.pid)
            end = time.monotonic() + (0 if self.is_stuck else KILL_SECONDS)
            while (running := self.process.poll() is None) and time.monotonic() < end:
                time.sleep(TICK / 10)
            self.is_stuck = running
        return self.poll_exit()

    def is_ready(self) -> bool:
        if self.process is None or self.is_restarting:
            return False
        if self.program.ready is not None:
            return self.program.ready()
        return self.program.address is None or answers(self.program.address)


class Supervisor:
    """Starts all programs, restarts those that exit, and stops them on SIGINT, SIGTERM or SIGHUP.

    `report` receives each line of progress.
    `ready` is called once, when every program is ready.
    `changed` is called every second; if it returns true, the programs restart.
    `grace` is the number of seconds in which all programs together must stop. A second signal
    ends it.
    """

    def __init__(
        self,
        programs: Iterable[Program],
        *,
        report: Callable[[str], None],
        ready: Callable[[], None] = lambda: None,
        changed: Callable[[], bool] = lambda: False,
        grace: float = 120,
        first_delay: float = 1,
        max_delay: float = 30,
    ) -> None:
        self.children = [Child(program, first_delay, max_delay) for program in programs]
        self.report = report
        self.ready = ready
        self.changed = changed
        self.grace = grace
        self.manager = ServiceManager(os.environ)
        self.signals = 0

    def run(self) -> int:
        """Run until a signal arrives. Returns 0 if all programs stopped, 1 if any was killed."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            self._watch()
            return self._stop()
        finally:
            for child in self.children:
                self._kill(child)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1

    def _watch(self) -> None:
        announced, check_at = False, 0.0
        while not self.signals:
            if (now := time.monotonic()) >= check_at:
                check_at = now + CHANGE_CHECK_EVERY
                self._reload_if_changed()
            for child in self.children:
                self._supervise(child)
            self._reap_orphans()
            self.manager.report_alive()
            if not announced and all(child.is_ready() for child in self.children):
                announced = True
                self.ready()
                self.manager.report_ready("All programs run")
            time.sleep(TICK)

    def _reload_if_changed(self) -> None:
        if self.changed():
            self.report("Source files changed. Starting the programs again.")
            for child in self.children:
                if child.program.reloads:
                    child.restart()

    def _supervise(self, child: Child) -> None:
        child.read_output()
        code = child.poll_exit()
        if child.is_hanging():
            if not child.is_stuck:
                self.report(f"The {child.program.name} gives no sign of life and is killed.")
            code = self._kill(child)
        if code is not None and not child.is_restarting:
            delay = child.schedule_restart()
            exit_text = describe_exit(code)
            self.report(f"The {child.program.name} {exit_text}. Starting it again in {delay:g} s.")
        elif self._is_due(child):
            self._start(child)

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            # A limit of the system. The programs that run must not end with this one.
            self.report(
                f"The {child.program.name} could not be started: {error.strerror}."
                f" Trying again in {child.schedule_restart():g} s."
            )

    def _is_due(self, child: Child) -> bool:
        if child.process is not None or time.monotonic() < child.start_at:
            return False
        needed = [one for one in self.children if one.program.name == child.program.needs]
        return all(one.is_ready() for one in needed)

    def _reap_orphans(self) -> None:
        """Collect what dead programs left behind, as process 1 or as one that adopts orphans.

        The programs themselves are left to `poll_exit`, which needs their codes.
        """
        ours = {child.process.pid for child in self.children if child.process}
        while (orphan := ended_child()) and orphan not in ours:
            os.waitpid(orphan, 0)

    def _stop(self) -> int:
        self.manager.report_stop()
        self.report("Stopping. In-flight work finishes first; press Ctrl-C again to kill it.")
        deadline = time.monotonic() + self.grace
        killed = 0
        for order in sorted({child.program.stop_order for child in self.children}):
            group = [child for child in self.children if child.program.stop_order == order]
            killed += self._stop_together(group, deadline)
        self.report(
            "Stopped." if not killed else "Stopped; programs that did not stop in time were killed."
        )
        return 1 if killed else 0

    def _stop_together(self, children: list[Child], deadline: float) -> int:
        # Earlier groups may have used up the grace.
        deadline = max(deadline, time.monotonic() + MIN_STOP_SECONDS)
        for child in children:
            child.terminate()
        while any(child.process for child in children):
            for child in children:
                child.poll_exit()
            if self.signals > 1 or time.monotonic() >= deadline:
                break
            time.sleep(TICK)
        late = [child for child in children if child.process]
        for child in late:
            self.report(f"The {child.program.name} did not stop in time and is killed.")
            self._kill(child)
        return len(late)

    def _kill(self, child: Child) -> int | None:
        was_stuck, code = child.is_stuck, child.kill()
        if child.is_stuck and not was_stuck:
            self.report(f"The {child.program.name} was killed, but the system does not end it.")
        return code
