"""Leases on accounts, heartbeats of loops, and the start of further loops."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_spawn

from providers.clock import database_now
from providers.engine import heartbeats, leases, wake
from providers.models import Heartbeat, Lease
from tests.factories.accounts import make_account
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


def expire() -> None:
    Lease.objects.update(expires_at=database_now() - 0.001)


# --- leases ------------------------------------------------------------------


def test_free_account_is_taken() -> None:
    account = make_account()
    assert leases.renew(uuid4()).held == {account.pk}


def test_account_has_one_holder() -> None:
    make_account()
    leases.renew(uuid4())
    assert leases.renew(uuid4()).held == set()


def test_holder_keeps_its_lease() -> None:
    account, loop = make_account(), uuid4()
    leases.renew(loop)
    assert leases.renew(loop).held == {account.pk}


def test_expired_lease_is_taken_over() -> None:
    account = make_account()
    first, second = uuid4(), uuid4()
    leases.renew(first)
    expire()
    assert leases.renew(second).held == {account.pk}
    assert leases.renew(first).held == set()


def test_released_account_is_free_at_once() -> None:
    account, first = make_account(), uuid4()
    leases.renew(first)
    leases.release(first)
    assert leases.renew(uuid4()).held == {account.pk}


def test_release_does_not_affect_other_holders() -> None:
    make_account()
    leases.renew(uuid4())
    leases.release(uuid4())
    assert leases.renew(uuid4()).held == set()


def test_account_without_a_lease_row_gets_one() -> None:
    account = make_account()
    Lease.objects.all().delete()
    assert leases.renew(uuid4()).held == {account.pk}


@pytest.mark.django_db(transaction=True)
def test_concurrent_loops_get_the_account_once() -> None:
    account = make_account()
    held = at_once(lambda: leases.renew(uuid4()).held, 6)
    assert sorted(held, key=len) == [set()] * 5 + [{account.pk}]


def test_engine_is_alive_while_a_lease_is_held() -> None:
    make_account()
    assert not leases.is_engine_alive()
    leases.renew(uuid4())
    assert leases.is_engine_alive()
    expire()
    assert not leases.is_engine_alive()


# --- heartbeats --------------------------------------------------------------


def test_loop_with_a_heartbeat_is_alive() -> None:
    loop = uuid4()
    heartbeats.beat(loop)
    assert heartbeats.living_loops() == [loop]


def test_loop_without_a_recent_heartbeat_is_dead() -> None:
    heartbeats.beat(uuid4())
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=16))
    assert heartbeats.living_loops() == []


def test_removed_loop_is_not_alive() -> None:
    loop = uuid4()
    heartbeats.beat(loop)
    heartbeats.remove(loop)
    assert heartbeats.living_loops() == []


def test_other_heartbeats_are_not_loops() -> None:
    Heartbeat.objects.create(name="engine", beat_at=timezone.now())
    assert heartbeats.living_loops() == []


def test_heartbeats_of_dead_loops_are_pruned_after_a_day() -> None:
    old, young = uuid4(), uuid4()
    heartbeats.beat(old)
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(days=1, seconds=1))
    heartbeats.beat(young)
    heartbeats.prune()
    assert [beat.name for beat in Heartbeat.objects.all()] == [f"loop:{young.hex}"]


# --- starting loops ----------------------------------------------------------


def queued_tasks() -> int:
    tasks: int = OrmQ.objects.filter(key="engine").count()
    return tasks


def queue_task_of_a_killed_worker() -> None:
    """Queue a task that a killed worker has left locked for long."""
    wake.start_loop()
    OrmQ.objects.update(lock=timezone.now() + timedelta(seconds=900))


def test_idle_engine_is_woken() -> None:
    assert wake.wake_engine()
    assert queued_tasks() == 1


def test_engine_with_a_queued_loop_is_not_woken() -> None:
    wake.start_loop()
    assert not wake.wake_engine()
    assert queued_tasks() == 1


def test_engine_with_a_lease_is_not_woken() -> None:
    make_account()
    leases.renew(uuid4())
    assert not wake.wake_engine()


def test_task_of_a_killed_worker_is_not_a_queued_loop() -> None:
    queue_task_of_a_killed_worker()
    assert wake.wake_engine()


def test_tasks_of_the_other_cluster_do_not_count() -> None:
    OrmQ.objects.create(key="smsportal", payload="", lock=timezone.now())
    assert wake.wake_engine()


def test_one_loop_waits_in_the_queue() -> None:
    assert wake.keep_running()
    assert not wake.keep_running()
    assert queued_tasks() == 1


def test_loop_waits_besides_those_that_run() -> None:
    heartbeats.beat(uuid4())
    heartbeats.beat(uuid4())
    assert wake.keep_running()


def test_task_of_a_killed_worker_is_replaced() -> None:
    queue_task_of_a_killed_worker()
    assert wake.keep_running()


def test_worker_of_the_engine_queues_a_loop_when_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Conf, "CLUSTER_NAME", "engine")
    post_spawn.send(sender="django_q", proc_name="a worker")
    assert queued_tasks() == 1


def test_worker_of_the_other_cluster_queues_no_loop() -> None:
    post_spawn.send(sender="django_q", proc_name="a worker")
    assert queued_tasks() == 0


def test_worker_that_cannot_queue_a_loop_starts_nevertheless(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Conf, "CLUSTER_NAME", "engine")
    monkeypatch.setattr(OrmQ.objects, "filter", Mock(side_effect=OperationalError("away")))
    post_spawn.send(sender="django_q", proc_name="a worker")
    assert "could not queue a loop" in caplog.text
