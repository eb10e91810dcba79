"""The process that watches the others of a cluster, and repairs what a dead one leaves behind.

The monitor waits for results with the lock of their queue in hand, and the pusher holds the other
queue's lock while it writes. If one of them is killed then, nothing ever releases the lock, and its
successor waits for good. The default queue would soon be silent and be killed. A cluster whose
tasks last for minutes would go on without a monitor, and would not notice.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from django_q import cluster

logger = logging.getLogger(__name__)


class Lock(Protocol):
    def acquire(self, block: bool = ...) -> bool: ...

    def release(self) -> None: ...


class Sentinel(cluster.Sentinel):
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


def install() -> None:
    """Let the cluster that this process starts use this sentinel."""
    cluster.Sentinel = Sentinel
