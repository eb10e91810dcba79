"""Lets hosts take part in the fence where no engine loop runs.

A host that only serves pages sees the counter rise, too. Its files then record it, and the other
hosts, when the database has gone back in time.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from django.db import connection

from . import fence
from .fence import FenceBroken
from .recovery import recover

logger = logging.getLogger(__name__)

EVERY: Final = 5.0
"""Seconds between two looks."""


def start() -> threading.Event:
    """Look again and again in a thread of this process, until the returned event is set."""
    stop = threading.Event()
    threading.Thread(target=_run, args=(stop,), name="fence watch", daemon=True).start()
    return stop


def _run(stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        look_once()


def look_once() -> None:
    """Look, and close the connection: one look every few seconds is not worth keeping it."""
    try:
        try:
            fence.look()
        except FenceBroken as broken:
            recover(broken)
    except Exception as error:  # noqa: BLE001 - the database may be away for a while
        logger.warning("The fence could not be looked at (%s).", type(error).__name__)
    finally:
        if not connection.in_atomic_block:
            connection.close()
