"""The queue task that runs one loop of the engine."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from django_q.conf import Conf
from django_q.status import Stat, Status

from .loop import Loop
from .wake import keep_running

logger = logging.getLogger(__name__)

LONGEST_RUN = 600.0
"""Seconds. Shorter than the queue's `retry`, so that the queue never starts a task twice while it
runs. The loop then ends, and the worker takes the next one, which waits."""
RUNS_DIFFER_BY = 0.2
"""The part of a run by which it may be shorter, so that loops which started together do not end
together."""
STATUS_CHECK_EVERY = 0.5
GC_THRESHOLD = 50_000
"""Generation-0 threshold of the garbage collector. With the default of 700, a loop that makes a
thousand calls a second collects all the time, and every thread waits for it."""
KEEP_RUNNING_EVERY = 2.0

_cluster_id: UUID | None = None
"""Of the cluster that this process belongs to, if its sentinel has said so."""


def note_cluster(cluster_id: UUID) -> None:
    """Called in the sentinel, before it forks its workers."""
    global _cluster_id
    _cluster_id = cluster_id


def run() -> None:
    """Run one loop until its cluster stops, its parent dies or `LONGEST_RUN` has passed."""
    seconds = LONGEST_RUN * (1 - RUNS_DIFFER_BY * random.random())  # noqa: S311
    should_stop = _stop_signal(time.monotonic() + seconds)
    if not should_stop():
        Loop(should_stop).run()


@contextmanager
def _tuned_garbage_collector() -> Iterator[None]:
    """Tune the garbage collector for many small objects within the block."""
    thresholds = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _stop_signal(until: float) -> Callable[[], bool]:
    """A function that stops the loop.

    A worker cannot see its cluster's stop event. The cluster's published status and the id of the
    parent process carry the same information.
    """
    parent = _sentinel_id()
    next_check = next_keeping = 0.0

    def should_stop() -> bool:
        nonlocal next_check, next_keeping
        now = time.monotonic()
        if now >= until or os.getppid() != parent:
            return True
        if now < next_check:
            return False
        next_check = now + STATUS_CHECK_EVERY
        if _cluster_is_stopping(parent):
            return True
        if now >= next_keeping:
            next_keeping = now + KEEP_RUNNING_EVERY
            _keep_running()
        return False

    return should_stop


def _sentinel_id() -> int:
    """The process that started this worker. A worker that outlived it must not begin a loop."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent is not None and parent.pid is not None else os.getppid()


def _keep_running() -> None:
    try:
        keep_running()
    except Exception as error:
        logger.error("The engine could not queue a loop.", exc_info=error)
        connection.close()


def _cluster_is_stopping(sentinel: int) -> bool:
    """Whether the cluster stops, as far as that can be read: its status is in the database, and a
    loop that holds results must outlast an outage."""
    try:
        published = Stat.get_all()
    except Exception as error:  # noqa: BLE001 - the next check reads it again
        logger.warning("The status of the cluster cannot be read: %s", type(error).__name__)
        connection.close()
        return False
    return any(
        _is_of_our_cluster(stat, sentinel) and stat.status in (Conf.STOPPING, Conf.STOPPED)
        for stat in published
    )


def _is_of_our_cluster(stat: Status, sentinel: int) -> bool:
    """The status of a stopped cluster stays for a while, and after a restart of a container the
    next sentinel often has the same process id."""
    if _cluster_id is not None:
        return bool(stat.cluster_id == _cluster_id)
    return bool(stat.sentinel == sentinel and stat.host == socket.gethostname())
