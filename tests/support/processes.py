"""Looking at processes from outside."""

from __future__ import annotations

import subprocess


def is_running(pid: int) -> bool:
    """A process that ended but that nobody has collected yet counts as gone."""
    state = _ps("-o", "stat=", "-p", str(pid)).strip()
    return bool(state) and not state.startswith("Z")


def descendants_of(pid: int) -> set[int]:
    """Every process below this one, at any depth."""
    parents = [map(int, line.split()) for line in _ps("-eo", "pid=,ppid=").splitlines()]
    pairs = [(child, parent) for child, parent in parents]
    found = {pid}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return found - {pid}


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
