"""Having what came in read soon. A kick that is lost loses nothing: the rows are the queue,
and a schedule looks for them every minute."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.db import Error as DatabaseError
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

TASK: Final = "providers.tasks.digest_callbacks"
EVERY: Final = 1.0
"""Seconds. A digest goes on looking for longer than that, so that a callback between two
kicks is seen by the one that runs."""

_lock = threading.Lock()
_kicked_at = float("-inf")


def kick_soon() -> None:
    """Have a digest started, once a second at most, whatever comes in."""
    global _kicked_at
    now = time.monotonic()
    with _lock:
        if now - _kicked_at < EVERY:
            return
        _kicked_at = now
    try:
        kick()
    except DatabaseError:
        # It is stored already; the schedule will find it.
        logger.warning("A digest of callbacks could not be started.")


def kick() -> None:
    """Have a digest started. Part of the caller's transaction."""
    async_task(TASK, task_name="callbacks: digest", save=False)
