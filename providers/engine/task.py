"""The queue task that runs one loop of the engine."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable

from django.db import connection
from django_q.conf import Conf
from django_q.status import Stat

from .loop import Loop
from .wake import keep_running

logger = logging.getLogger(__name__)

LONGEST_RUN = 600.0
"""Seconds. Shorter than the queue's `retry`, so that the queue never starts a task twice while it
runs. The loop then queues its successor and ends."""
STATUS_CHECK_EVERY = 0.5


def run() -> None:
    """Run one loop until its cluster stops, its parent dies or `LONGEST_RUN` has passed."""
    until = time.monotonic() + LONGEST_RUN
    Loop(should_stop=_stop_signal(until)).run()
    if time.monotonic() >= until:
        keep_running()


def _stop_signal(until: float) -> Callable[[], bool]:
    """A function that tells the loop to stop.

    A worker cannot see its cluster's stop event. The cluster's published status and the id of the
    parent process carry the same information.
    """
    parent = os.getppid()
    next_check = 0.0

    def should_stop() -> bool:
        nonlocal next_check
        now = time.monotonic()
        if now >= until or os.getppid() != parent:
            return True
        if now < next_check:
            return False
        next_check = now + STATUS_CHECK_EVERY
        return _cluster_is_stopping(parent)

    return should_stop


def _cluster_is_stopping(sentinel: int) -> bool:
    """Whether the cluster stops, as far as that can be read: its status is in the database, and a
    loop that holds results must outlast an outage."""
    host = socket.gethostname()
    try:
        published = Stat.get_all()
    except Exception as error:  # noqa: BLE001 - the next check reads it again
        logger.warning("The status of the cluster cannot be read: %s", type(error).__name__)
        connection.close()
        return False
    return any(
        stat.sentinel == sentinel
        and stat.host == host
        and stat.status in (Conf.STOPPING, Conf.STOPPED)
        for stat in published
    )
