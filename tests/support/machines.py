"""A machine with Debian and a real systemd, booted by systemd-nspawn from memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support import debian, spaces
from tests.support.processes import end_space, first_child, remove_control_group
from tests.support.wait_until import wait_until

SUITE: Final = "bookworm"
CONTROL_GROUP: Final = f"smsportal-tests-{os.getpid()}-machine"
PACKAGES: Final = (
    "ca-certificates",
    "dbus",
    "make",
    "python3",
    "python3-venv",
    "systemd",
    "systemd-sysv",
    "tzdata",
    "util-linux",
)
SPACES: Final = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w/")
SCRIPT: Final = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
tar --extract --file "$2" --directory "$1"
mkdir "$1/opt/wheels" "$1/opt/smsportal"
cp -r "$3/." "$1/opt/wheels"
cp -r "$4/." "$1/opt/smsportal"
echo "127.0.0.1 localhost" > "$1/etc/hosts"
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [ -e "$tree/cgroup.procs" ] || continue
    mkdir "$tree/$5"
    echo $$ > "$tree/$5/cgroup.procs"
done
exec systemd-nspawn --quiet --boot --register=no --keep-unit --private-network \
    --console=read-only --directory="$1"
"""


class Machine:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        """Of its systemd, as this machine sees it."""

    def run(
        self, *command: str, check: bool = True, timeout: float = 600, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Output and errors are together."""
        return spaces.run(
            self.pid, SPACES, command, check=check, timeout=timeout, environment=environment
        )

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", 'mkdir -p "$(dirname "$0")"; printf %s "$1" > "$0"', path, text)

    def properties(self, unit: str, *names: str) -> dict[str, str]:
        shown = self.run("systemctl", "show", unit, f"--property={','.join(names)}").stdout
        return dict(line.split("=", 1) for line in shown.splitlines())

    def is_up(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """Has the project in /opt/smsportal and its requirements in /opt/wheels.

    Raises `debian.CannotFetch`.
    """
    tar, wheels = debian.root_tar(SUITE, PACKAGES), debian.wheels(SUITE)
    root = folder / "root"
    root.mkdir(parents=True)
    project = debian.copy_project(folder / "project")
    log = folder / "log"
    command = [*spaces.ALONE, "--mount-proc", "sh", "-c", SCRIPT, "sh"]
    folders = map(str, (root, tar, wheels, project))
    process = spaces.start([*command, *folders, CONTROL_GROUP], log)
    try:
        yield _wait_for(process, log)
    finally:
        end_space(process)
        remove_control_group(CONTROL_GROUP)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> Machine:
    def found() -> int:
        """systemd is the child of nspawn, which is the child of unshare."""
        assert process.poll() is None, log.read_text()
        nspawn = first_child(process.pid)
        name = Path(f"/proc/{nspawn}/comm").read_text().strip() if nspawn else ""
        return first_child(nspawn) if name == "systemd-nspawn" else 0

    wait_until(lambda: found() and Machine(found()).is_up(), at_most=120)
    return Machine(found())
