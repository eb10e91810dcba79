"""What the queue calls. Each is thin and may run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_q.models import Task

from . import account_checks, daily_limits, journal
from .callbacks import process, self_test, store
from .callbacks import wake as wake_callbacks
from .engine import heartbeats
from .engine import wake as wake_engine
from .models import Account, heartbeat
from .task_leases import only_one

TASKS_KEPT_FOR: Final = timedelta(days=30)
"""Nothing else ever deletes the queue's records of tasks, done or failed."""


def beat() -> None:
    """Shows that work gets through the queue."""
    heartbeat("queue")


def keep_engine_running() -> int:
    return wake_engine.keep_running()


def digest_callbacks() -> bool:
    """Read what providers pushed to us. True: somebody else is at it, or there is more."""
    with only_one("callbacks: digest", seconds=20) as keep_lease:
        more = keep_lease is None or process.run(keep_lease)
    if more and keep_lease is not None:
        wake_callbacks.kick()
    return more


def test_callback_address(account_id: int) -> None:
    account = Account.objects.filter(pk=account_id).first()
    if account is not None:
        self_test.run(account)


def read_balances() -> int:
    return account_checks.read_all_balances()


def prune() -> int:
    """What is past its time: calls, callbacks, questions, readings, spent limits, dead loops,
    records of tasks."""
    heartbeats.prune()
    done = Task.objects.filter(stopped__lt=timezone.now() - TASKS_KEPT_FOR)
    tasks: int = done.delete()[0]
    pruned = journal.prune() + store.prune() + account_checks.prune() + daily_limits.prune()
    return pruned + tasks
