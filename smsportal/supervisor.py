"""Runs the portal's processes side by side, and stops them in order. Knows nothing of Django.

Every program gets a session of its own. So a Ctrl-C in the terminal reaches the supervisor
only: django-q2 hangs when the signal reaches its workers as well, and must get a SIGTERM
sent to its main process alone. Its drain has no limit of its own; the limit is here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

TICK = 0.1
STABLE_AFTER = 60.0
MIN_STOP_SECONDS = 3.0
SILENCE_CHECK_EVERY = 15.0
CHANGE_CHECK_EVERY = 1.0


@dataclass(frozen=True)
class Program:
    """One process to keep running.

    `stop_order`: lower numbers are stopped first, equal ones together.
    `address`: host and port that answer once the program is ready, if it listens at all.
    `silent_for`: how many seconds the program has shown no sign of life; over `max_silence`
    it is taken to hang, and killed. A cluster of django-q2 can hang while it looks alive.
    `reloads`: whether it starts again when source files change.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_order: int = 0
    address: tuple[str, int] | None = None
    silent_for: Callable[[], float] | None = None
    max_silence: float = 600
    reloads: bool = True


class Child:
    """A program, its process, and when it may be started again."""

    def __init__(self, program: Program, first_delay: float, max_delay: float) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.delay = self.first_delay = first_delay
        self.max_delay = max_delay
        self.started = self.start_at = self.check_at = 0.0
        self.was_silent = self.is_restarting = False

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            self.program.command,
            env={**os.environ, **self.program.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_terminate_with_parent(os.getpid()),
        )
        self.started = self.check_at = time.monotonic()
        self.was_silent = self.is_restarting = False

    def poll_exit(self) -> int | None:
        """The exit code, once, if the process has ended; what it left behind is killed."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        _kill_group(self.process.pid)
        self.process = None
        return code

    def schedule_restart(self) -> float:
        """Choose the next start: soon, and ever later for what keeps falling over."""
        if time.monotonic() - self.started > STABLE_AFTER:
            self.delay = self.first_delay
        delay, self.delay = self.delay, min(self.delay * 2, self.max_delay)
        self.start_at = time.monotonic() + delay
        return delay

    def is_hanging(self) -> bool:
        """Whether nothing was heard for too long, since the start at the earliest.

        Two looks must agree: after an outage of the database, where signs of life are
        kept, the first one may come before the program has given its next.
        """
        now = time.monotonic()
        silent_for = self.program.silent_for
        if self.process is None or silent_for is None or now < self.check_at:
            return False
        self.check_at = now + min(SILENCE_CHECK_EVERY, self.program.max_silence)
        silence = min(now - self.started, silent_for())
        before, self.was_silent = self.was_silent, silence > self.program.max_silence
        return before and self.was_silent

    def restart(self) -> None:
        """Ask it to stop; it then starts again at once, as does one that waits to start."""
        self.delay, self.start_at = self.first_delay, 0.0
        if self.process is not None and not self.is_restarting:
            self.is_restarting = True
            self.terminate()

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> int | None:
        if self.process is not None:
            _kill_group(self.process.pid)
            self.process.wait()
        return self.poll_exit()

    def is_ready(self) -> bool:
        if self.program.address is None:
            return self.process is not None
        try:
            socket.create_connection(self.program.address, timeout=1).close()
        except OSError:
            return False
        return True


class Supervisor:
    """Starts all programs, restarts what dies, and stops them on SIGINT, SIGTERM or SIGHUP.

    `grace` is the number of seconds that all programs together have for stopping; a second
    signal ends it. `ready` is called once, as soon as every program answers. `changed` is
    asked every second whether the programs should start again with changed source files.
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
        self.signals = 0

    def run(self) -> int:
        """Work until a signal arrives. 0: all stopped by themselves; 1: something was killed."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            self._watch()
            return self._stop()
        finally:
            for child in self.children:
                child.kill()
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
            if not announced and all(child.is_ready() for child in self.children):
                announced = True
                self.ready()
            time.sleep(TICK)

    def _reload_if_changed(self) -> None:
        if self.changed():
            self.report("Source files changed. Starting the programs again.")
            for child in self.children:
                if child.program.reloads:
                    child.restart()

    def _supervise(self, child: Child) -> None:
        code = child.poll_exit()
        if child.is_hanging():
            self.report(f"The {child.program.name} gives no sign of life and is killed.")
            code = child.kill()
        if code is not None and not child.is_restarting:
            delay = child.schedule_restart()
            fate = _describe_exit(code)
            self.report(f"The {child.program.name} {fate}. Starting it again in {delay:g} s.")
        elif child.process is None and time.monotonic() >= child.start_at:
            child.start()

    def _stop(self) -> int:
        self.report("Stopping. Work in hand is finished first; press Ctrl-C again to kill it.")
        deadline = time.monotonic() + self.grace
        killed = 0
        for order in sorted({child.program.stop_order for child in self.children}):
            some = [child for child in self.children if child.program.stop_order == order]
            killed += self._stop_together(some, deadline)
        self.report(
            "Stopped." if not killed else "Stopped; what did not stop by itself was killed."
        )
        return 1 if killed else 0

    def _stop_together(self, children: list[Child], deadline: float) -> int:
        # Whatever came before may have used up the grace.
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
            child.kill()
        return len(late)


def _kill_group(leader: int) -> None:
    """Kill what is left of a program's own session; there may be nothing left."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _describe_exit(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _terminate_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux: a SIGTERM for the new process if the supervisor is killed outright.

    The kernel sends it to the process that asked for it, not to that one's children:
    just what a cluster's main process needs. Elsewhere such processes stay behind.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1

    def ask() -> None:
        prctl(set_parent_death_signal, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return ask
