"""A django-q2 cluster in processes of its own, started as the portal starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from smsportal.processes.programs import cluster
from tests.support.processes import descendants_of, is_running

LAST_RESORT = 120.0


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LAST_RESORT
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


class Cluster:
    """A cluster that works on the test's database."""

    def __init__(self, folder: Path, name: str = "engine") -> None:
        self.name = name
        self.output = folder / f"{name}.output"
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.providers.engine.cluster_settings",
            "TEST_CLUSTER_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_CLUSTER_CACHE": str(folder / "cache"),
            "Q_CLUSTER_NAME": name,
            "PYTHONWARNINGS": "ignore:Retry and timeout are misconfigured",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                cluster(self.name).command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process.pid

    def stop(self) -> None:
        """Send SIGTERM to the main process only, as the supervisor does."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(LAST_RESORT) == 0, self.output.read_text()

    def kill(self) -> None:
        """Kill the whole process group at once, as in a power failure."""
        if self.process is None or self.process.poll() is not None:
            return
        family = {self.process.pid, *descendants_of(self.process.pid)}
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LAST_RESORT)
        wait_for(lambda: not any(map(is_running, family)), "the end of the cluster")
