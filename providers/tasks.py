"""What the queue calls. Each is thin and may run twice."""

from __future__ import annotations

from . import enquiries, journal
from .engine import kick
from .models import heartbeat


def beat() -> None:
    """Shows that work gets through the queue."""
    heartbeat("queue")


def keep_engine_running() -> int:
    return kick.keep_running()


def read_balances() -> int:
    return enquiries.read_all_balances()


def prune_journal() -> int:
    return journal.prune()
