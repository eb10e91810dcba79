"""Processes in name spaces of their own, and commands inside these."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.processes import killed_with_parent

ALONE: Final = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child")
PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """A command that begins with `ALONE`. It ends with the tests; `end_space` ends it before."""
    with log.open("w") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=killed_with_parent,
        )


def run(
    pid: int,
    spaces: Sequence[str],
    command: Sequence[str],
    *,
    check: bool = True,
    timeout: float,
    environment: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    """Run a command in these spaces of a process. Output and errors are together."""
    ended = subprocess.run(
        ["nsenter", f"--target={pid}", *spaces, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=timeout,
        env={"PATH": PATH, "HOME": "/root", **environment},
    )
    assert not check or ended.returncode == 0, (command, ended.stdout[-3000:])
    return ended
