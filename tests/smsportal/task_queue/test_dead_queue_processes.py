"""Each process of the queues is killed while it is idle, as the system may do when memory is short.

The queue must finish new tasks, and the engine must have a loop, within three minutes. A cluster
whose idle worker dies with the lock of the tasks in hand goes on saying that it works.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import connection
from django_q.models import Task
from django_q.tasks import async_task

from providers.engine import heartbeats
from providers.models import Heartbeat
from providers.models.engine import LOOP_PREFIX
from smsportal.processes.programs import cluster as program_of_cluster
from tests.support.hosts import Host, empty_database
from tests.support.processes import children_of, descendants_of, name_of
from tests.support.wait_until import wait_until
from tests.upgrade.databases import connected

pytestmark = pytest.mark.django_db(transaction=True)
AT_MOST: Final = 180.0
READ: Final = "0"
"""The number of the system call that the owner of a queue's lock waits in (x86-64)."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with empty_database(tmp_path) as database:
        # The key of the tests, with which they sign their tasks.
        keys = {"SECRET_KEY": settings.SECRET_KEY, "SECRETS_KEYS": ",".join(settings.SECRETS_KEYS)}
        host = Host(tmp_path / "host", database, **keys)
        host.start()
        try:
            wait_until(host.is_ready, at_most=AT_MOST)
            with connected(database):
                beats = Heartbeat.objects.filter(name__startswith="queue:")
                wait_until(beats.exists, at_most=AT_MOST)
                wait_until(heartbeats.living_loops, at_most=AT_MOST)
                yield host
        finally:
            host.stop()


class Cluster:
    """The processes of one cluster, found again each time."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name

    def main(self) -> int:
        (found,) = [pid for pid in children_of(self.host.pid) if self._is_ours(pid)]
        return found

    def started_since(self, known: set[int]) -> list[int]:
        """Main processes of this cluster apart from known ones, and what these left behind."""
        return [
            pid for pid in children_of(self.host.pid) if pid not in known and self._is_ours(pid)
        ]

    def sentinel(self) -> int:
        (found,) = children_of(self.main())
        return found

    def members(self) -> list[int]:
        """Two workers, the monitor and the pusher, in the order in which they were started."""
        found = sorted(children_of(self.sentinel()))
        assert len(found) == 4
        return found

    def worker_with_lock(self) -> int:
        """The idle worker that waits for the next task; the other one waits for the lock."""
        for pid in self.members()[:2]:
            if system_call(pid) == READ:
                return pid
        raise LookupError

    def monitor(self) -> int:
        return self.members()[2]

    def pusher(self) -> int:
        return self.members()[3]

    def worker(self) -> int:
        return self.members()[0]

    def _is_ours(self, pid: int) -> bool:
        return name_of(pid) == program_of_cluster(self.name).name


def system_call(pid: int) -> str:
    """The number of the system call in which a process waits."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0]


def kill(find: Callable[[], int]) -> float:
    def found() -> int:
        try:
            return find()
        except (LookupError, ValueError, AssertionError, OSError):
            return 0  # Between two moments of the cluster.

    wait_until(found)
    os.kill(find(), signal.SIGKILL)
    return time.monotonic()


def kill_one(cluster: Cluster, kind: str) -> float:
    """Kill the process. Without its main process or sentinel, wait until the cluster is another,
    since orphans of the dead one go on for a moment."""
    known = descendants_of(cluster.host.pid)
    killed_at = kill(getattr(cluster, kind))
    if kind in ("main", "sentinel"):
        wait_until(lambda: cluster.started_since(known))
    return killed_at


def seconds_until_a_new_task_is_done(killed_at: float) -> float:
    """A task that the dead cluster had fetched is lost for long, so new ones follow."""
    tasks: list[str] = []
    while True:
        tasks.append(async_task("providers.tasks.beat", task_name="after the kill"))
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if Task.objects.filter(pk__in=tasks, success=True).exists():
                return time.monotonic() - killed_at
            time.sleep(0.2)
        assert time.monotonic() - killed_at < AT_MOST, "the queue did not come back"


def seconds_until_a_loop_beats(killed_at: float, before: set[tuple[str, datetime]]) -> float:
    def beats() -> set[tuple[str, datetime]]:
        rows = Heartbeat.objects.filter(name__startswith=LOOP_PREFIX)
        return set(rows.values_list("name", "beat_at"))

    wait_until(lambda: beats() - before, at_most=AT_MOST)
    return time.monotonic() - killed_at


@pytest.mark.long
def test_default_queue_is_back_after_the_death_of_the_worker_with_the_lock(host: Host) -> None:
    cluster = Cluster(host, "smsportal")
    took = seconds_until_a_new_task_is_done(kill(cluster.worker_with_lock))
    report("queue, worker_with_lock", took)
    assert "The queue gives no sign of life and is killed." in host.log()


@pytest.mark.slow
def test_default_queue_is_back_after_the_death_of_any_other_process(host: Host) -> None:
    cluster = Cluster(host, "smsportal")
    for kind in ("pusher", "monitor", "sentinel", "main"):
        took = seconds_until_a_new_task_is_done(kill_one(cluster, kind))
        report(f"queue, {kind}", took)
        assert took < AT_MOST
    assert "gives no sign of life" not in host.log()


@pytest.mark.slow
def test_engine_has_a_loop_again_after_the_death_of_any_process(host: Host) -> None:
    cluster = Cluster(host, "engine")
    for kind in ("pusher", "monitor", "worker", "sentinel", "main"):
        killed_at = kill_one(cluster, kind)
        before = set(Heartbeat.objects.values_list("name", "beat_at"))
        took = seconds_until_a_loop_beats(killed_at, before)
        report(f"engine, {kind}", took)
        assert took < AT_MOST


@pytest.mark.slow
def test_engine_has_a_monitor_that_reads_results_after_the_death_of_the_former(host: Host) -> None:
    cluster = Cluster(host, "engine")
    before = cluster.members()
    kill(cluster.monitor)

    def reads() -> bool:
        new = [pid for pid in children_of(cluster.sentinel()) if pid not in before]
        return bool(new) and system_call(new[0]) == READ

    wait_until(reads, at_most=AT_MOST)


@pytest.mark.long
def test_engine_that_hangs_is_back(host: Host) -> None:
    cluster = Cluster(host, "engine")
    for pid in cluster.members():
        os.kill(pid, signal.SIGSTOP)
    killed_at = time.monotonic()
    before = set(Heartbeat.objects.values_list("name", "beat_at"))
    report("engine, all stopped", seconds_until_a_loop_beats(killed_at, before))
    assert "The engine queue gives no sign of life and is killed." in host.log()


@pytest.mark.long
def test_queue_that_is_busy_with_long_tasks_is_not_killed(host: Host) -> None:
    tasks = [async_task("time.sleep", 85, task_name="long") for _ in range(4)]
    wait_until(lambda: Task.objects.filter(pk__in=tasks).count() == 4, at_most=300)
    assert Task.objects.filter(pk__in=tasks, success=True).count() == 4
    assert "gives no sign of life" not in host.log()


def report(what: str, took: float) -> None:
    sys.stdout.write(f"{connection.vendor}: {what}: back after {took:.1f} s\n")
