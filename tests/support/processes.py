"""Inspect other processes."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether a process runs. A zombie does not count."""
    state = _ps("-o", "stat=", "-p", str(pid)).strip()
    return bool(state) and not state.startswith("Z")


def descendants_of(pid: int) -> set[int]:
    """All descendants of a process."""
    parents = [map(int, line.split()) for line in _ps("-eo", "pid=,ppid=").splitlines()]
    pairs = [(child, parent) for child, parent in parents]
    found = {pid}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return found - {pid}


def children_of(pid: int) -> list[int]:
    """The direct children of a process, in the order of their ids."""
    rows = [map(int, line.split()) for line in _ps("-eo", "pid=,ppid=").splitlines()]
    return sorted(child for child, parent in rows if parent == pid)


def name_of(pid: int) -> str:
    """The name in lists of processes, which each program of the portal sets; empty if it has ended.

    Its own children keep it.
    """
    return _ps("-o", "comm=", "-p", str(pid)).strip()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout


def thread_count(pid: int) -> int:
    """The number of threads of a process; 0 if it does not run."""
    return int(_ps("-o", "nlwp=", "-p", str(pid)).strip() or 0)


def first_child(pid: int) -> int:
    """0 if there is none yet."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else 0


def end_space(process: subprocess.Popen[bytes]) -> None:
    """End `unshare --pid --fork`: with the first process of the space, all others end.

    Returns once they have.
    """
    if process.poll() is None and (first := first_child(process.pid)):
        os.kill(first, signal.SIGKILL)
    try:
        process.wait(60)
    finally:
        process.kill()


def killed_with_parent() -> None:
    """As `preexec_fn`: what the tests started ends even if the tests are killed."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def remove_control_group(name: str) -> None:
    """That of containers or a machine that have ended."""
    root = Path("/sys/fs/cgroup")
    for top in (*root.glob(f"*/{name}"), *root.glob(name)):
        folders = [top, *(one for one in top.rglob("*") if one.is_dir())]
        for folder in sorted(folders, reverse=True):
            folder.rmdir()
