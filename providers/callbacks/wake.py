"""Start the processing of stored callbacks.

A lost start loses nothing: the rows are the queue, and a schedule looks for them every minute.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.db import Error as DatabaseError
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

TASK: Final = "providers.tasks.digest_callbacks"
MIN_INTERVAL: Final = 1.0
"""Seconds between two starts. A run polls for longer than this, so it finds a callback that
arrives between two starts."""

_lock = threading.Lock()
_woken_at = float("-inf")


def wake_processing_soon() -> None:
    """Start a run, at most once per `MIN_INTERVAL` in this process."""
    global _woken_at
    now = time.monotonic()
    with _lock:
        if now - _woken_at < MIN_INTERVAL:
            return
        _woken_at = now
    try:
        wake_processing()
    except DatabaseError:
        # The callback is stored, so the schedule will find it.
        logger.warning("A digest of callbacks could not be started.")


def wake_processing() -> None:
    """Queue a run, as part of the caller's transaction."""
    async_task(TASK, task_name="callbacks: digest", save=False)
