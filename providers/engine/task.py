"""The queue task that runs one loop of the engine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import socket
import time
from collections.abc import Callable

from django.db import close_old_connections
from django_q.conf import Conf
from django_q.status import Stat

from .loop import Loop
from .wake import keep_running
from .work_source import DATABASE_AWAY

logger = logging.getLogger(__name__)

LONGEST_RUN = 600.0
"""Seconds. Shorter than the queue's `retry`, so that the queue never starts a task twice while it
runs. The loop then ends, and the worker takes the next one, which waits."""
RUNS_DIFFER_BY = 0.2
"""The part of a run by which it may be shorter, so that loops which started together do not end
together."""
STATUS_CHECK_EVERY = 0.5
KEEP_RUNNING_EVERY = 2.0


def run() -> None:
    """Run one loop until its cluster stops, its parent dies or `LONGEST_RUN` has passed."""
    seconds = LONGEST_RUN * (1 - RUNS_DIFFER_BY * random.random())  # noqa: S311
    should_stop = _stop_signal(time.monotonic() + seconds)
    if not should_stop():
        Loop(should_stop).run()


def _stop_signal(until: float) -> Callable[[], bool]:
    """A function that tells the loop to stop.

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
    except DATABASE_AWAY:
        logger.exception("The engine could not queue a loop.")
        close_old_connections()


def _cluster_is_stopping(sentinel: int) -> bool:
    host = socket.gethostname()
    return any(
        stat.sentinel == sentinel
        and stat.host == host
        and stat.status in (Conf.STOPPING, Conf.STOPPED)
        for stat in Stat.get_all()
    )
