"""A Docker engine of its own: Debian's, in its own file system, network and process space.

Nothing of it reaches the machine: it ends with one process, and its networks end with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support import debian, spaces
from tests.support.processes import end_space, first_child, remove_control_group
from tests.support.wait_until import wait_until

CONTROL_GROUP: Final = f"smsportal-tests-{os.getpid()}-containers"
PACKAGES: Final = (
    "ca-certificates",
    "docker.io",
    "docker-buildx",
    "docker-cli",
    "docker-compose",
    "iptables",
    "iproute2",
    "mount",
    "tini",
)
SPACES: Final = ("-m", "-n", "-p", "-r")
START: Final = f"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
tar --extract --file "$2" --directory "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/work run/before
mount --bind "$3" run/work
ip link set lo up
pivot_root . run/before
umount -l /run/before
exec tini -- dockerd --storage-driver overlay2 --cgroup-parent {CONTROL_GROUP} --log-level warn
"""
"""The root is in memory: writing is quick, and nothing is left to delete. With `chroot` instead,
`docker exec` would find the files of the machine."""
INSIDE: Final = Path("/run/work")
"""Where its containers and commands find the folder `work`."""


class Engine:
    def __init__(self, pid: int, work: Path) -> None:
        self.pid, self.work = pid, work

    def docker(
        self,
        *arguments: str,
        check: bool = True,
        timeout: float = 600,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Output and errors are together."""
        command = ("docker", *arguments)
        return spaces.run(
            self.pid, SPACES, command, check=check, timeout=timeout, environment=environment
        )

    def said(self, *arguments: str) -> str:
        return self.docker(*arguments).stdout.strip()


@contextmanager
def running(folder: Path) -> Iterator[Engine]:
    """Raises `debian.CannotFetch`."""
    tar = debian.root_tar("trixie", PACKAGES)
    root, work = folder / "root", folder / "work"
    root.mkdir(parents=True)
    work.mkdir()
    log = folder / "log"
    command = [*spaces.ALONE, "sh", "-c", START, "sh", str(root), str(tar), str(work)]
    process = spaces.start(command, log)
    try:
        yield Engine(_wait_for(process, log), work)
    finally:
        end_space(process)
        remove_control_group(CONTROL_GROUP)
        shutil.rmtree(folder)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> int:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        found = first_child(process.pid)
        return found > 0 and Engine(found, log.parent).docker("info", check=False).returncode == 0

    wait_until(answers, at_most=60)
    return first_child(process.pid)
