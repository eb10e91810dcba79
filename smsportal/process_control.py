"""What the supervisor asks of the system about its child processes. Independent of Django."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable


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


def terminate_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux, make the kernel send SIGTERM to the new process if the supervisor is killed.

    The signal reaches only the process that requested it, not its children, as a cluster's main
    process needs. On other systems, processes survive a killed supervisor.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1

    def request_signal() -> None:
        prctl(set_parent_death_signal, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return request_signal
