"""The tasks of the queue. Each is a thin wrapper and may run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django_q.models import Task

from . import account_checks, clock, daily_limits, hosts, journal
from .callbacks import process, self_test, store
from .callbacks import wake as wake_callbacks
from .caps import exemptions
from .engine import heartbeats
from .engine import wake as wake_engine
from .hold import decisions
from .models import Account, heartbeat
from .task_leases import hold_task_lease

TASK_RETENTION: Final = timedelta(days=30)
"""Nothing else deletes the queue's records of finished and failed tasks."""


def beat() -> None:
    """Record that the queue runs tasks."""
    heartbeat("queue")


def keep_engine_running() -> bool:
    return wake_engine.keep_running()


def digest_callbacks() -> bool:
    """Process stored callbacks. Returns True if another process holds the lease or work is left."""
    with hold_task_lease("callbacks: digest", seconds=20) as keep_lease:
        more = keep_lease is None or process.run(keep_lease)
    if more and keep_lease is not None:
        wake_callbacks.wake_processing()
    return more


def test_callback_address(account_id: int) -> None:
    account = Account.objects.filter(pk=account_id).first()
    if account is not None:
        self_test.run(account)


def read_balances() -> int:
    return account_checks.request_all_balances()


def end_decided_hold() -> bool:
    """End the hold if nothing is left to decide, such as after reports settled its last rows."""
    hold = decisions.open_hold()
    return hold is not None and decisions.end_if_decided(hold, by=None)


def prune() -> int:
    """Delete rows whose retention has passed: calls, callbacks, enquiries, balance readings,
    expired usage, ended exemptions, heartbeats of dead loops, hosts, task records."""
    heartbeats.prune()
    done = Task.objects.filter(stopped__lt=clock.now() - TASK_RETENTION)
    tasks: int = done.delete()[0]
    pruned = journal.prune() + store.prune() + account_checks.prune() + daily_limits.prune()
    return pruned + exemptions.prune() + hosts.prune() + tasks
