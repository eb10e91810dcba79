"""The daily tasks of the queue: pruning what has passed its retention, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Failure, Task

from providers import tasks
from providers.models import BalanceReading, Enquiry, Heartbeat, heartbeat
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


def test_only_old_balance_readings_are_pruned() -> None:
    account = make_account("gosms")
    now = timezone.now()
    BalanceReading.objects.create(account=account, read_at=now - timedelta(days=401))
    recent = BalanceReading.objects.create(account=account, read_at=now - timedelta(days=399))
    tasks.prune()
    assert list(BalanceReading.objects.all()) == [recent]


def test_only_ended_enquiries_are_pruned() -> None:
    account = make_account("gosms")
    long_ago = timezone.now() - timedelta(days=31)
    Enquiry.objects.create(account=account, kind="check", state="answered", ended_at=long_ago)
    waiting = Enquiry.objects.create(account=account, kind="check", asked_at=long_ago)
    tasks.prune()
    assert list(Enquiry.objects.all()) == [waiting]


def test_heartbeats_of_dead_loops_are_pruned() -> None:
    heartbeat("loop:dead", at=timezone.now() - timedelta(days=2))
    heartbeat("queue", at=timezone.now() - timedelta(days=2))
    tasks.prune()
    assert [beat.name for beat in Heartbeat.objects.all()] == ["queue"]


def test_only_old_task_records_are_pruned() -> None:
    for number, days in enumerate((31, 1)):
        moment = timezone.now() - timedelta(days=days)
        Task.objects.create(
            id=f"{number:032}",
            name=str(number),
            func="nothing",
            started=moment,
            stopped=moment,
            success=False,
        )
    tasks.prune()
    assert [failure.name for failure in Failure.objects.all()] == ["1"]


def test_beat_writes_the_heartbeat_of_the_queue() -> None:
    tasks.beat()
    assert Heartbeat.objects.get().name == "queue"
