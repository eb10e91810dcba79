"""What the queue calls. Each is thin and may run twice."""

from __future__ import annotations

from . import following, limits, sessions


def expire() -> int:
    """End sessions whose time is over. The engine does so as well; this holds without it."""
    following.catch_up()
    return sessions.expire()


def prune() -> int:
    return limits.prune()
