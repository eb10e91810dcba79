"""The signs of life of this host's queues, which the vitals process reports to the supervisor.

django-q2's own status says "Working" while a cluster hangs. So the default queue gets a task every
few seconds, and the cluster's monitor, the last process that a task passes, leaves a heartbeat for
each result. A loop of the engine writes its own, with the name of its host.

Ages are measured by this process's monotonic clock, from one change of a heartbeat to the next, so
that a step of the wall clock kills nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.conf import Conf, logger
from django_q.models import OrmQ
from django_q.tasks import async_task

from providers.engine import heartbeats, wake
from providers.models import Heartbeat, heartbeat
from providers.models.engine import LOOP_PREFIX

from .programs import INSTANCE, WEB

WORK_EVERY: Final = 20.0
"""Seconds between two test tasks, and between two looks for missing loops."""
MONITOR_BEAT_EVERY: Final = 5.0
TEST_TASKS: Final = 2
"""More than one, because another host's cluster may take one."""
LONGEST_PAUSE: Final = 60.0
"""Seconds between two looks after which the silence counts anew. The database did not answer for
so long, and a loop may notice its return later than this process. A loop that was killed then
would lose the results that it keeps."""
MOST_WAITING: Final = 50
"""Waiting tasks above which no test task is added."""


@dataclass
class Pulse:
    """The age of the last change in some heartbeats, by a clock that does not step."""

    rows: frozenset[Any] = frozenset()
    changed_at: float = field(default_factory=lambda: time.monotonic())
    read_at: float = field(default_factory=lambda: time.monotonic())

    def age(self, rows: frozenset[Any]) -> float:
        now = time.monotonic()
        if rows - self.rows or now - self.read_at > LONGEST_PAUSE:
            self.changed_at = now
        self.rows, self.read_at = rows, now
        return now - self.changed_at

    def start_over(self) -> None:
        """Count from now: nobody could write a heartbeat."""
        self.changed_at = self.read_at = time.monotonic()


class Vitals:
    """Looks at the heartbeats, and gives the queues something to do.

    `write` receives each line for the supervisor.
    """

    def __init__(self, role: str, write: Callable[[str], None]) -> None:
        self.works = role != WEB
        self.write = write
        self.default_queue = str(settings.Q_CLUSTER["name"])
        self.pulses = {self.default_queue: Pulse(), wake.CLUSTER: Pulse()}
        self.work_at = 0.0

    def look(self, takes_writes: bool = True) -> None:
        """`takes_writes`: false if the database was seen to refuse a write. A disk that is full,
        a lock and a server that is read-only leave the old heartbeats to be read."""
        if not takes_writes:
            self._start_over()
        try:
            if self.works:
                self._report()
                self._give_work()
        except DatabaseError as error:
            logger.warning("The heartbeats cannot be read: %s", type(error).__name__)
            connection.close()
            self._start_over()
        # Also shows that this process lives.
        self.write(f"0 {INSTANCE}")

    def _start_over(self) -> None:
        for pulse in self.pulses.values():
            pulse.start_over()

    def _report(self) -> None:
        for name, rows in (
            (self.default_queue, _beats(name=f"{heartbeats.QUEUE_PREFIX}{instance()}")),
            (wake.CLUSTER, _beats(name__startswith=LOOP_PREFIX, detail=settings.PORTAL_HOST)),
        ):
            self.write(f"{self.pulses[name].age(rows):.1f} {name}")

    def _give_work(self) -> None:
        if time.monotonic() < self.work_at:
            return
        self.work_at = time.monotonic() + WORK_EVERY
        wake.keep_running()
        waiting = OrmQ.objects.filter(key=self.default_queue, lock__lte=timezone.now())
        if waiting.count() < MOST_WAITING:
            for _ in range(TEST_TASKS):
                async_task("providers.tasks.beat", task_name="queue: sign of life", save=False)


def instance() -> str:
    """The name that the processes of one supervisor share; empty without a supervisor."""
    return os.environ.get(INSTANCE, "")


def _beats(**wanted: str) -> frozenset[Any]:
    rows = Heartbeat.objects.filter(**wanted)
    return frozenset(rows.values_list("name", "beat_at"))


class MonitorBeat:
    """Receiver of django-q2's `post_execute`, which its monitor sends for each result."""

    def __init__(self) -> None:
        self.beat_at = -MONITOR_BEAT_EVERY

    def __call__(self, **_: Any) -> None:
        now = time.monotonic()
        default = settings.Q_CLUSTER["name"] == Conf.CLUSTER_NAME
        if not instance() or not default or now - self.beat_at < MONITOR_BEAT_EVERY:
            return
        self.beat_at = now
        # An exception would end the monitor.
        try:
            heartbeat(f"{heartbeats.QUEUE_PREFIX}{instance()}")
        except DatabaseError as error:
            logger.warning("The queue's heartbeat was not written: %s", type(error).__name__)
