"""The process that watches the others of a cluster, and repairs what a dead one leaves behind.

The monitor waits for results with the lock of their queue in hand, and the pusher holds the other
queue's lock while it writes. If one of them is killed then, nothing ever releases the lock, and its
successor waits for good. The default queue would soon be silent and be killed. A cluster whose
tasks last for minutes would go on without a monitor, and would not notice.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final, Protocol
from uuid import UUID

from django_q import cluster
from django_q.conf import Conf
from django_q.signing import SignedPackage
from django_q.status import Stat

from providers.engine.task import note_cluster

logger = logging.getLogger(__name__)

SAY_EVERY: Final = 10.0
"""Seconds between two writes of an unchanged status."""


class Lock(Protocol):
    def acquire(self, block: bool = ...) -> bool: ...

    def release(self) -> None: ...


class Sentinel(cluster.Sentinel):
    def __init__(
        self, stop_event: Any, start_event: Any, cluster_id: UUID, *rest: Any, **options: Any
    ) -> None:
        note_cluster(cluster_id)
        super().__init__(stop_event, start_event, cluster_id, *rest, **options)

    def reincarnate(self, process: Any) -> None:
        # Each is the only process of its cluster that takes this lock, and it is dead.
        if process is self.monitor:
            release_lock_of_the_dead(self.result_queue._rlock)
        elif process is self.pusher:
            release_lock_of_the_dead(self.task_queue._wlock)
        super().reincarnate(process)


def release_lock_of_the_dead(lock: Lock) -> None:
    """Leave the lock free, whether the dead process held it or not. Any process may release it."""
    if not lock.acquire(block=False):
        logger.warning("A process of the queue died with a lock in hand, which is free again.")
    lock.release()


class RareStat:
    """What a cluster says about itself: at once when it begins to stop, otherwise now and then.

    The library writes it to the shared cache in each round of its watch, for readers that want to
    know whether the cluster stops.
    """

    get = staticmethod(Stat.get)
    _said: tuple[bool, float] | None = None

    def __init__(self, sentinel: cluster.Sentinel) -> None:
        self.stat = Stat(sentinel)

    def save(self) -> None:
        stops = self.stat.status in (Conf.STOPPING, Conf.STOPPED)
        now, said = time.monotonic(), RareStat._said
        if said is not None and said[0] == stops and now - said[1] < SAY_EVERY:
            return
        try:
            signed = SignedPackage.dumps(self.stat, True)
            self.stat.broker.set_stat(self.stat.key, signed, int(SAY_EVERY * 3))
        except Exception as error:  # noqa: BLE001 - the sentinel must outlive an outage
            logger.error("The status of the cluster was not written: %s", type(error).__name__)
        else:
            RareStat._said = (stops, now)


def install() -> None:
    """Let the cluster that this process starts use this sentinel."""
    cluster.Sentinel = Sentinel
    cluster.Stat = RareStat
