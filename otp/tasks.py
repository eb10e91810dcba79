"""What the queue calls. Each is thin and may run twice."""

from __future__ import annotations

from . import limits, message_sync, sessions


def expire() -> int:
    """End sessions whose time is over. The engine does so as well; this holds without it."""
    message_sync.catch_up()
    return sessions.expire()


def prune() -> int:
    return limits.prune()
