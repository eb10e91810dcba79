"""Queue tasks for codes. Each may run twice."""

from __future__ import annotations

from . import codes_on_hold, limits, message_sync, sessions, sms_states


def expire() -> int:
    """Expire due sessions. The engine does this too; the task covers times without an engine."""
    message_sync.catch_up()
    sms_states.note_missing()
    codes_on_hold.end_expired()
    return sessions.expire()


def prune() -> int:
    return limits.prune()
