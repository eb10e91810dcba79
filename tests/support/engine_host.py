"""A host's engine cluster in real processes, restarted as the portal's supervisor does it."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from smsportal.processes.programs import cluster
from smsportal.processes.supervisor import TICK, Child
from tests.support.processes import descendants_of, is_running, thread_count
from tests.support.wait_until import wait_until

RESTART_AFTER = (1.0, 30.0)
"""The supervisor's delays of a restart: the first and the longest."""
ROLES = {
    "worker": re.compile(r"ready for work at (\d+)"),
    "monitor": re.compile(r"monitoring at (\d+)"),
    "pusher": re.compile(r"pushing tasks at (\d+)"),
}


class EngineHost:
    """One engine cluster on the test's database, under the name of a host."""

    def __init__(self, folder: Path, name: str, settings: str) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        program = cluster("engine")
        logged = ("/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', str(self._log), *program.command)
        environment = {
            **program.environment,
            "DJANGO_SETTINGS_MODULE": settings,
            "TEST_CLUSTER_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_CLUSTER_CACHE": str(folder / "cache"),
            "PORTAL_HOST": name,
        }
        self._child = Child(
            dataclasses.replace(program, command=logged, environment=environment, silent_for=None),
            *RESTART_AFTER,
        )
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._watcher.start()

    def _watch(self) -> None:
        child = self._child
        while not self._ending.wait(TICK):
            if child.poll_exit() is not None:
                child.schedule_restart()
            elif child.process is None and time.monotonic() >= child.start_at:
                child.start()

    def stop(self) -> None:
        """Let the cluster drain and end."""
        self._ending.set()
        self._watcher.join()
        self._child.terminate()
        wait_until(lambda: self._child.poll_exit() is not None or self._child.process is None)

    def close(self) -> None:
        """Kill whatever still runs."""
        self._ending.set()
        if self._watcher.ident is not None:
            self._watcher.join()
        self._child.kill()

    # --- its processes -----------------------------------------------------------

    @property
    def main(self) -> int:
        process = self._child.process
        assert process is not None
        return process.pid

    @property
    def sentinel(self) -> int:
        direct = {pid for pid in descendants_of(self.main) if parent_of(pid) == self.main}
        (sentinel,) = direct
        return sentinel

    def running(self, role: str) -> list[int]:
        """The living processes of a role, as the cluster's log names them."""
        found = map(int, ROLES[role].findall(self._log.read_text()))
        return [pid for pid in found if is_running(pid)]

    def workers(self, *, active: bool) -> list[int]:
        """The workers whose loop makes calls, or the others."""
        return [pid for pid in self.running("worker") if (thread_count(pid) > 1) == active]


def parent_of(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def kill(pids: Sequence[int]) -> float:
    """Kill processes at once. Returns the time on the monotonic clock."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return time.monotonic()


@contextmanager
def engine_hosts(
    folder: Path, number: int, settings: str = "tests.providers.engine.cluster_settings"
) -> Iterator[list[EngineHost]]:
    """Run this number of hosts."""
    hosts = [EngineHost(folder, f"host{index + 1}", settings) for index in range(number)]
    try:
        for host in hosts:
            host.start()
        yield hosts
    finally:
        for host in hosts:
            host.close()
