"""A wall clock that is set back or forward: nothing is mute, and no lease is held by the dead."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.signals import request_started
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from messaging.engine.source import MessageSource
from messaging.models import Message
from otp import sessions
from otp.models import SendGap, Session
from providers import clock, task_leases
from providers.clock import database_now
from providers.engine import clock_watch, far_times, heartbeats, leases
from providers.engine.clock_watch import ClockWatch
from providers.engine.loop import Loop
from providers.engine.work_source import sources
from providers.models import Callback, Heartbeat, Lease, TaskLease
from rentals.models import Cancel, Order
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order, make_rented

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

STEPS = pytest.mark.parametrize("step", [3600.0, 86_400.0], ids=["an hour", "a day"])


def ahead(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


# --- leases and heartbeats ------------------------------------------------------


@STEPS
def test_lease_of_a_dead_loop_is_free_soon_after_the_clock_was_set_back(step: float) -> None:
    account = make_account()
    Lease.objects.filter(account=account).update(holder="dead", expires_at=database_now() + step)
    assert leases.renew(uuid4()).held == set()
    left = Lease.objects.get(account=account).expires_at - database_now()
    assert left <= leases.TIME_TO_LIVE


def test_living_loop_keeps_its_lease_when_the_clock_was_set_back() -> None:
    account, loop = make_account(), uuid4()
    assert leases.renew(loop).held == {account.pk}
    Lease.objects.update(expires_at=database_now() + 3600)
    assert leases.renew(uuid4()).held == set()
    assert leases.renew(loop).held == {account.pk}


@STEPS
def test_lease_from_before_the_step_does_not_make_the_engine_alive(step: float) -> None:
    make_account()
    Lease.objects.update(holder="dead", expires_at=database_now() + step)
    assert not leases.is_engine_alive()
    assert heartbeats.unserved_since() is not None


@STEPS
def test_task_lease_from_before_the_step_is_free_after_its_time(step: float) -> None:
    TaskLease.objects.create(name="a task", holder="dead", expires_at=database_now() + step)
    with task_leases.hold_task_lease("a task", 0.01) as lease:
        assert lease is None
    time.sleep(0.02)
    with task_leases.hold_task_lease("a task", 0.01) as lease:
        assert lease is not None


@pytest.mark.parametrize("seconds", [-3600, -20, 20, 3600])
def test_beat_far_from_now_is_no_sign_of_life(seconds: float) -> None:
    loop = uuid4()
    heartbeats.beat(loop)
    assert heartbeats.living_loops() == [loop]
    Heartbeat.objects.update(beat_at=ahead(seconds))
    assert heartbeats.living_loops() == []


def test_silence_counts_from_the_step_if_the_last_beat_lies_ahead() -> None:
    heartbeats.beat(uuid4())
    Heartbeat.objects.update(beat_at=ahead(3600))
    assert 0 <= heartbeats.seconds_since_last_beat() < 60
    assert Heartbeat.objects.get().beat_at <= ahead(1)


# --- rows ---------------------------------------------------------------------------


@STEPS
def test_claim_of_a_dead_loop_is_swept_after_the_clock_was_set_back(step: float) -> None:
    claimed = make_message(state="claimed", claim=uuid4(), claimed_at=ahead(step))
    times = {"claimed_at": ahead(step), "handed_over_at": ahead(step)}
    sending = make_message(state="sending", claim=uuid4(), **times)
    MessageSource().sweep()
    claimed.refresh_from_db()
    sending.refresh_from_db()
    assert (claimed.state, sending.state) == ("queued", "unknown")


def test_mark_of_a_living_loop_that_lies_ahead_is_left_alone() -> None:
    loop = uuid4()
    heartbeats.beat(loop)
    times = {"claimed_at": ahead(3600), "handed_over_at": ahead(3600)}
    sending = make_message(state="sending", claim=loop, **times)
    MessageSource().sweep()
    sending.refresh_from_db()
    assert sending.state == "sending"


def test_mark_by_a_host_whose_clock_is_a_little_ahead_is_no_step() -> None:
    claimed = make_message(state="claimed", claim=uuid4(), claimed_at=ahead(30))
    MessageSource().sweep()
    claimed.refresh_from_db()
    assert claimed.state == "claimed"


@STEPS
def test_nothing_waits_for_the_hour_that_comes_again(step: float) -> None:
    account = make_account("gosms")
    message = make_message(not_before=ahead(step))
    order = make_order(account, not_before=ahead(step))
    rented = make_rented(account, next_poll_at=ahead(step), expires_at=ahead(step + 600))
    cancel = Cancel.objects.create(order=rented, not_before=ahead(step))
    SendGap.objects.create(recipient="+8613912345678", free_at=ahead(step + 60))
    callback = Callback.objects.create(
        account=account, method="POST", digest="1", received_at=ahead(step), last_at=ahead(step)
    )
    Callback.objects.update(next_try_at=ahead(step))
    async_task("providers.tasks.beat")
    OrmQ.objects.update(lock=ahead(step + 900))
    Schedule.objects.create(func="providers.tasks.beat", schedule_type="I", minutes=1)
    Schedule.objects.update(next_run=ahead(step * 2))

    found = far_times.bring_all_near()

    assert len(found) >= 8
    soon = ahead(1)
    for row in (message, order, cancel):
        row.refresh_from_db()
        assert row.not_before < soon
    for each in (rented, callback):
        each.refresh_from_db()
    assert rented.next_poll_at
    assert rented.next_poll_at < soon
    assert callback.next_try_at
    assert callback.next_try_at < soon
    assert SendGap.objects.get().free_at < soon
    assert OrmQ.objects.filter(lock__lt=ahead(180)).count() == OrmQ.objects.count()
    assert not Schedule.objects.filter(minutes=1, next_run__gt=soon).exists()


def test_times_that_are_legitimate_stay() -> None:
    account = make_account("gosms")
    make_message(not_before=ahead(10))
    make_order(account, not_before=ahead(15))
    make_rented(account, next_poll_at=ahead(60), expires_at=ahead(600))
    ends = ahead(1200)
    make_rented(account, next_poll_at=ends, expires_at=ends)
    SendGap.objects.create(recipient="+8613912345678", free_at=ahead(60))
    make_session(minutes=10, expires_at=ahead(600))
    async_task("providers.tasks.beat")
    OrmQ.objects.update(lock=ahead(900))
    assert far_times.bring_all_near() == {}
    assert Message.objects.get(not_before__gt=ahead(5))
    assert Order.objects.filter(next_poll_at__gt=ahead(1000)).exists()


def make_session(**fields: Any) -> Session:
    values = {"recipient": "+8613912345678", "prefix": "+86139", "country": "CN", "length": 6}
    return Session.objects.create(account=make_account("haosms"), **values, **fields)


@STEPS
def test_code_does_not_live_longer_because_the_clock_was_set_back(step: float) -> None:
    session = make_session(minutes=10, expires_at=ahead(600 + step - 300), state="sent")
    far_times.bring_all_near()
    session.refresh_from_db()
    assert session.state == "expired"


# --- what a loop notices ----------------------------------------------------------------


class Clocks:
    """The clocks of a host: a wall clock that can be set, and a monotonic one."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_000_000.0, 0.0
        self.database = self.wall

    def step(self, seconds: float) -> None:
        """Set the wall clocks of host and database."""
        self.wall += seconds
        self.database += seconds

    def time(self) -> float:
        return self.wall + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(clock, "time", clocks)
    monkeypatch.setattr(clock, "database_now", lambda: clocks.database + clocks.elapsed)
    return clocks


@pytest.fixture
def shared(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks of one of several hosts."""
    monkeypatch.setattr(connection, "vendor", "postgresql")
    clock.learn()
    return clocks


@pytest.mark.parametrize("step", [-86_400.0, -3600.0, -6.0, 6.0, 3600.0, 86_400.0])
def test_step_of_the_clock_is_noticed_once_and_stops_the_sweeps_for_a_while(
    clocks: Clocks, step: float
) -> None:
    watch = ClockWatch()
    assert not watch.check()
    clocks.elapsed += 2
    assert not watch.check()
    assert clock.is_settled()
    clocks.step(step)
    if connection.vendor == "sqlite":
        assert not clock.is_settled()
    assert watch.check()
    assert not clock.is_settled()
    clocks.elapsed += clock.UNSETTLED_FOR
    assert not watch.check()
    assert clock.is_settled()


def test_loop_sweeps_nothing_right_after_a_step(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[str] = []
    for source in sources():
        monkeypatch.setattr(source, "sweep", partial(swept.append, source.name))
    a_loop = Loop(lambda: True)
    a_loop.run_round()
    assert len(swept) == 1
    clocks.step(3600)
    if connection.vendor == "sqlite":
        # Before the loop compares the clocks again.
        a_loop.run_round()
    a_loop._next_renewal = 0.0
    a_loop.run_round()
    assert len(swept) == 1


def test_loop_notices_a_step_from_before_it_started(clocks: Clocks) -> None:
    ClockWatch().check()
    clock_watch.remember()
    clock.restore(None, None)
    clocks.step(3600)
    ClockWatch().check()
    assert not clock.is_settled()


def test_new_loop_waits_for_the_end_of_an_unsettled_time(clocks: Clocks) -> None:
    watch = ClockWatch()
    watch.check()
    clocks.step(3600)
    watch.check()
    clock_watch.remember()
    clock.restore(None, None)
    ClockWatch().check()
    assert not clock.is_settled()
    clocks.elapsed += clock.UNSETTLED_FOR
    assert clock.is_settled()


def test_clocks_from_before_a_restart_of_the_host_are_ignored(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ClockWatch().check()
    clock_watch.remember()
    clock.restore(None, None)
    clocks.step(3600)
    other = tmp_path / "boot_id"
    other.write_text("another boot")
    monkeypatch.setattr(clock_watch, "BOOT_ID", other)
    ClockWatch().check()
    assert clock.is_settled()


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_step_of_one_host_moves_no_time_of_a_row(shared: Clocks, step: float) -> None:
    shared.wall += step
    shared.elapsed += 10
    assert clock.now().timestamp() == pytest.approx(shared.database + 10)
    assert clock.is_settled()
    clock.learn()
    assert clock.is_settled()


def test_time_of_a_row_follows_the_clock_of_the_database(shared: Clocks) -> None:
    shared.database += 300
    clock.learn()
    assert clock.now().timestamp() == pytest.approx(shared.database)


def test_slow_answer_of_the_database_is_not_taken_for_its_time(
    shared: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared.database

    def answer_late() -> float:
        shared.elapsed += 60
        return shared.database

    monkeypatch.setattr(clock, "database_now", answer_late)
    clock.learn()
    shared.wall += 3600
    assert clock.now().timestamp() == pytest.approx(before + 60)


def test_request_on_a_host_with_another_time_reads_the_clock_again(shared: Clocks) -> None:
    shared.database += 300
    shared.wall += 3600
    shared.elapsed += clock.DOUBTFUL_FOR
    request_started.send(sender=None)
    assert clock.now().timestamp() == pytest.approx(shared.database + clock.DOUBTFUL_FOR)


def test_new_rows_take_the_time_of_the_database(shared: Clocks) -> None:
    shared.wall -= 3600
    order = Order()
    for moment in (order.created_at, order.not_before, Message().queued_at):
        assert moment.timestamp() == pytest.approx(shared.database)


def test_nothing_of_a_code_ends_right_after_a_step(clocks: Clocks) -> None:
    clock.restore(clock.Reading(clocks.elapsed, clocks.wall - 3600), None)
    over = make_session(minutes=10, expires_at=ahead(-60), state="sent")
    far = make_session(minutes=10, expires_at=ahead(3600), state="sent")
    sessions.expire()
    far_times.bring_all_near()
    over.refresh_from_db()
    far.refresh_from_db()
    assert (over.state, far.state) == ("sent", "sent")
    clocks.elapsed += clock.UNSETTLED_FOR
    sessions.expire()
    far_times.bring_all_near()
    over.refresh_from_db()
    far.refresh_from_db()
    assert (over.state, far.state) == ("expired", "expired")
