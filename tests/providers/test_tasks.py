"""What the queue does every day: let go of what is past its time, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Failure, Task

from providers import tasks
from providers.models import BalanceReading, Enquiry, Heartbeat, heartbeat
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


def test_old_readings_go_and_young_ones_stay() -> None:
    account = make_account("gosms")
    now = timezone.now()
    BalanceReading.objects.create(account=account, read_at=now - timedelta(days=401))
    young = BalanceReading.objects.create(account=account, read_at=now - timedelta(days=399))
    tasks.prune()
    assert list(BalanceReading.objects.all()) == [young]


def test_old_questions_go_and_open_ones_stay() -> None:
    account = make_account("gosms")
    long_ago = timezone.now() - timedelta(days=31)
    Enquiry.objects.create(account=account, kind="check", state="answered", ended_at=long_ago)
    waiting = Enquiry.objects.create(account=account, kind="check", asked_at=long_ago)
    tasks.prune()
    assert list(Enquiry.objects.all()) == [waiting]


def test_signs_of_life_of_loops_that_died_go() -> None:
    heartbeat("loop:dead", at=timezone.now() - timedelta(days=2))
    heartbeat("queue", at=timezone.now() - timedelta(days=2))
    tasks.prune()
    assert [beat.name for beat in Heartbeat.objects.all()] == ["queue"]


def test_old_failed_tasks_go() -> None:
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


def test_the_sign_of_life_of_the_queue_is_written() -> None:
    tasks.beat()
    assert Heartbeat.objects.get().name == "queue"
