"""What the supervisor asks of the system about its child processes. Independent of Django."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any, Final, Protocol

TERMINATE_WITH_PARENT: Final = 1
SET_NAME: Final = 15
ADOPT_ORPHANS: Final = 36
"""Numbers of `linux/prctl.h`."""
IS_LINUX: Final = sys.platform.startswith("linux")


class Process(Protocol):
    """A child process, such as `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    @property
    def stdout(self) -> IO[bytes] | None: ...

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def terminate(self) -> None: ...


def adopt_orphans() -> bool:
    """Become the parent of descendants whose own parent ends, instead of process 1.

    Returns whether this is so: a sandbox of the system may refuse it.
    """
    return _prctl(ADOPT_ORPHANS, 1) == 0 or os.getpid() == 1


def name_process(name: str) -> None:
    """Set what `ps -o comm` and `top` show for this process, of which the kernel keeps 15 bytes."""
    if IS_LINUX:
        _prctl(SET_NAME, ctypes.create_string_buffer(name.encode()))


def ended_child() -> int | None:
    """A child that has ended and waits to be collected."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended else None


def kill_group(leader: int) -> None:
    """Kill what is left of a program's session, if anything."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def describe_exit(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def terminate_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux, make the kernel send SIGTERM to the new process if the supervisor is killed.

    The signal reaches only the process that requested it, not its children, as a cluster's main
    process needs. On other systems, processes survive a killed supervisor.
    """
    if not IS_LINUX:
        return None
    # Loaded before the fork, in which little may be done.
    prctl = ctypes.CDLL(None).prctl

    def request_signal() -> None:
        prctl(TERMINATE_WITH_PARENT, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return request_signal


def _prctl(option: int, argument: Any) -> int:
    return int(ctypes.CDLL(None).prctl(option, argument))
