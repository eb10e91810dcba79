"""What the queue calls. Each is thin and may run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_q.models import Failure

from . import daily_limits, enquiries, journal
from .engine import kick, liveness
from .models import heartbeat

FAILURES_KEPT_FOR: Final = timedelta(days=30)
"""Nothing else ever deletes the queue's records of failed tasks."""


def beat() -> None:
    """Shows that work gets through the queue."""
    heartbeat("queue")


def keep_engine_running() -> int:
    return kick.keep_running()


def read_balances() -> int:
    return enquiries.read_all_balances()


def prune() -> int:
    """What is past its time: calls, questions, readings, spent limits, dead loops, failed
    tasks."""
    liveness.forget_the_dead()
    failed = Failure.objects.filter(stopped__lt=timezone.now() - FAILURES_KEPT_FOR)
    failures: int = failed.delete()[0]
    return journal.prune() + enquiries.prune() + daily_limits.prune() + failures
