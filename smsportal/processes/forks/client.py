"""The supervisor's side: starts the process that forks, and asks it for programs.

Independent of Django. Both talk in packets over a pair of sockets. A request carries the arguments
and the environment of a program, a socket for its answer and, if its output is read, the file to
write to. The new process answers with its id, and runs the program once it is told to go on. So a
process that answers too late runs nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Final

from smsportal.processes.process_control import adopt_orphans, terminate_with_parent
from smsportal.processes.service_manager import environment_of_programs

COMMAND: Final = (sys.executable, "-m", "smsportal.processes.forks.server")
READY: Final = b"ready"
GO_ON: Final = b"go on"
MAX_PACKET: Final = 65536
ANSWER_SECONDS: Final = 10.0
"""A fork takes milliseconds. The supervisor waits for it, so this must stay below its watchdog."""


class Forked:
    """A process that another one has forked for the supervisor, which has adopted it."""

    def __init__(self, pid: int, stdout: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._collect(os.WNOHANG)

    def wait(self) -> int:
        code = self._collect(0)
        assert code is not None  # noqa: S101 - it has waited
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _collect(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class ForkServer:
    """Starts the process that forks, and forks of it.

    `modules`: what to load before. `folder`: where they are. The programs run in the folder of
    this process, as the preparation does, since settings may hold relative paths.
    """

    def __init__(self, modules: Sequence[str], folder: str) -> None:
        self._modules = modules
        self._folder = folder
        self._works_in = _present_folder() or folder
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._started = 0.0

    def start(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start the process. What it forks becomes a child of this one."""
        adopt_orphans()
        self._disconnect()
        self._connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._started = time.monotonic()
        with other:
            self._process = subprocess.Popen(  # noqa: S603
                (*COMMAND, str(other.fileno()), self._works_in, *self._modules),
                cwd=self._folder,
                env={**environment_of_programs(os.environ), **environment},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(other.fileno(),),
                preexec_fn=terminate_with_parent(os.getpid()),
            )
        return self._process

    def silence(self) -> float:
        """Seconds for which it has been loading the code; 0 once it is ready."""
        return 0.0 if self.is_ready() else time.monotonic() - self._started

    def is_ready(self) -> bool:
        """Whether the process has loaded the code, and lives. Does not wait."""
        if self._connection is None:
            return False
        self._connection.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            packet = self._connection.recv(MAX_PACKET)
            self._is_ready = packet == READY
            if not packet:
                self._disconnect()
        return self._is_ready

    def fork(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        reads_output: bool = False,
    ) -> Forked | None:
        """Start a program. None if it could not be started; then the process that forks is killed.

        `name`: appears in lists of processes; the first 15 characters.
        """
        if self._connection is None:
            return None
        request = json.dumps({"name": name, "arguments": arguments, "environment": environment})
        with ExitStack() as opened:
            answer, other = map(
                opened.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            )
            files, output = [other.fileno()], None
            if reads_output:
                read, write = os.pipe()
                opened.callback(os.close, write)
                output = os.fdopen(read, "rb", buffering=0)
                files.append(write)
            pid = self._ask(request, files, answer, other)
            if pid is None and output is not None:
                output.close()
        return None if pid is None else Forked(pid, output)

    def _ask(
        self, request: str, files: Sequence[int], answer: socket.socket, other: socket.socket
    ) -> int | None:
        """The id of the new process, which was told to go on."""
        assert self._connection is not None  # noqa: S101 - `fork` has looked
        try:
            self._connection.settimeout(ANSWER_SECONDS)
            socket.send_fds(self._connection, [request.encode()], files)
            # Otherwise the end of the process that has the other one would go unnoticed.
            other.close()
            answer.settimeout(ANSWER_SECONDS)
            pid = int(answer.recv(MAX_PACKET))
            answer.send(GO_ON)
        except (OSError, ValueError):
            self._disconnect()
            if self._process is not None:
                self._process.kill()
            return None
        return pid

    def _disconnect(self) -> None:
        self._is_ready = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _present_folder() -> str:
    """Empty if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - lighter than Path
    except FileNotFoundError:
        return ""
