"""What a run consists of, for the faults that strike it."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from django.db import Error, connection

from sandbox.remote import Remote

from .portal_host import PortalHost
from .stores import Store

T = TypeVar("T")
CLOCK_SOURCE = Path(__file__).parents[2] / "tests" / "support" / "wall_clock.c"


@dataclass
class World:
    hosts: Sequence[PortalHost]
    store: Store
    remote: Remote
    has_small_disk: bool
    clock_library: Path | None
    run_for: Callable[[float], None]
    """Continues the run for some seconds: work, supervision, samples."""
    kills: Counter[str] = field(default_factory=Counter)
    """How many processes of each kind were killed alone."""

    def stop(self, hosts: Sequence[PortalHost]) -> int:
        """Stop hosts as for a restart. Returns how many had to be killed."""
        for host in hosts:
            host.terminate()
        late = 0
        for _ in range(150):
            if all(host.has_stopped() for host in hosts):
                return late
            self.run_for(0.2)
        for host in hosts:
            if not host.has_stopped():
                late += 1
                host.late_stops += 1
                host.kill()
        return late


def build_clock_library(folder: Path) -> Path | None:
    """Compile the library that moves a process's clock. Returns None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "clock.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(CLOCK_SOURCE), "-ldl"]
    built = subprocess.run(command, check=False, capture_output=True).returncode == 0
    return library if built else None


def when_possible(read: Callable[[], T], otherwise: T) -> T:
    """What `read` finds in the database, or `otherwise` while the database does not answer."""
    try:
        return read()
    except Error:
        with suppress(Error):
            connection.close()
        return otherwise
