"""The vitals: how long the queues have shown no sign of life, whatever the wall clock does."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_execute

from providers.engine import heartbeats
from providers.models import Heartbeat, heartbeat
from smsportal.processes import vitals
from smsportal.processes.programs import INSTANCE, WEB, WORK
from smsportal.processes.vitals import MonitorBeat, Pulse, Vitals

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("smsportal.processes.vitals.time.monotonic", clock)
    monkeypatch.setenv(INSTANCE, "me")
    return clock


@pytest.fixture
def lines() -> list[str]:
    return []


def test_silence_counts_from_the_last_change_of_a_heartbeat(clock: Clock) -> None:
    pulse = Pulse()
    first = frozenset({("queue:me", timezone.now())})
    assert pulse.age(first) == 0
    clock.now += 40
    assert pulse.age(first) == 40
    assert pulse.age(frozenset({("queue:me", timezone.now())})) == 0


def test_removed_heartbeat_is_no_sign_of_life(clock: Clock) -> None:
    pulse = Pulse()
    one, other = ("loop:1", timezone.now()), ("loop:2", timezone.now())
    pulse.age(frozenset({one, other}))
    clock.now += 40
    assert pulse.age(frozenset({one})) == 40


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1)])
def test_step_of_the_wall_clock_is_no_silence(
    clock: Clock, lines: list[str], step: timedelta
) -> None:
    watch = Vitals(WORK, lines.append)
    loop = uuid4()
    heartbeats.beat(loop, settings.PORTAL_HOST)
    watch.look()
    clock.now += 5
    heartbeat(f"loop:{loop.hex}", settings.PORTAL_HOST, at=timezone.now() + step)
    lines.clear()
    watch.look()
    assert "0.0 engine" in lines


def test_queue_is_silent_if_only_other_hosts_finish_tasks(clock: Clock, lines: list[str]) -> None:
    watch = Vitals(WORK, lines.append)
    watch.look()
    clock.now += 60
    heartbeat("queue:another host")
    heartbeat("queue")
    lines.clear()
    watch.look()
    assert "60.0 smsportal" in lines


def test_engine_is_silent_if_only_loops_of_other_hosts_beat(clock: Clock, lines: list[str]) -> None:
    watch = Vitals(WORK, lines.append)
    watch.look()
    clock.now += 60
    heartbeats.beat(uuid4(), "another host")
    heartbeats.beat(uuid4())
    lines.clear()
    watch.look()
    assert "60.0 engine" in lines


def test_queue_and_engine_get_work_at_once_and_then_every_20_seconds(
    clock: Clock, lines: list[str]
) -> None:
    watch = Vitals(WORK, lines.append)
    watch.look()
    watch.look()
    tasks = sorted((task.key, task.func()) for task in OrmQ.objects.all())
    assert tasks == [
        ("engine", "providers.engine.task.run"),
        *[("smsportal", "providers.tasks.beat")] * 2,
    ]
    clock.now += 20
    watch.look()
    assert OrmQ.objects.filter(key="smsportal").count() == 4


def test_full_queue_gets_no_test_tasks(
    clock: Clock, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "MOST_WAITING", 0)
    Vitals(WORK, lines.append).look()
    assert not OrmQ.objects.filter(key="smsportal").exists()


def test_host_for_the_web_only_shows_that_its_vitals_live(clock: Clock, lines: list[str]) -> None:
    Vitals(WEB, lines.append).look()
    assert lines == [f"0 {INSTANCE}"]
    assert not OrmQ.objects.exists()


def test_database_that_is_away_is_no_silence(
    clock: Clock, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**wanted: str) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(vitals, "_beats", fail)
    monkeypatch.setattr("smsportal.processes.vitals.connection.close", lambda: None)
    Vitals(WORK, lines.append).look()
    assert lines == [f"0 {INSTANCE}"]


def test_silence_counts_from_the_return_of_the_database(
    clock: Clock, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that keeps results needs time to notice that the database is back."""

    def fail(**wanted: str) -> None:
        raise DatabaseError("away")

    looking = Vitals(WORK, lines.append)
    looking.look()
    with monkeypatch.context() as away:
        away.setattr(vitals, "_beats", fail)
        away.setattr("smsportal.processes.vitals.connection.close", lambda: None)
        for _ in range(60):
            clock.now += 5
            looking.look()
    clock.now += 5
    lines.clear()
    looking.look()
    assert lines[:2] == ["5.0 smsportal", "5.0 engine"]


def test_database_that_takes_no_writes_is_no_silence(clock: Clock, lines: list[str]) -> None:
    """Its heartbeats can be read, but the loops cannot renew them."""
    looking = Vitals(WORK, lines.append)
    looking.look()
    for _ in range(60):
        clock.now += 5
        looking.look(takes_writes=False)
    assert "0.0 engine" in lines[-3:]
    clock.now += 5
    looking.look()
    assert "5.0 engine" in lines[-3:]


def test_silence_counts_anew_after_an_answer_that_took_long(clock: Clock) -> None:
    pulse = Pulse()
    first = frozenset({("loop:1", timezone.now())})
    pulse.age(first)
    clock.now += 300
    assert pulse.age(first) == 0
    clock.now += 5
    assert pulse.age(first) == 5


class TestMonitorBeat:
    @pytest.fixture(autouse=True)
    def in_the_default_cluster(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Conf, "CLUSTER_NAME", "smsportal")

    def test_result_leaves_a_heartbeat_of_this_host(self) -> None:
        MonitorBeat()(task={})
        assert Heartbeat.objects.filter(name="queue:me").exists()

    def test_heartbeats_are_at_least_five_seconds_apart(self, clock: Clock) -> None:
        beat = MonitorBeat()
        beat(task={})
        Heartbeat.objects.all().delete()
        beat(task={})
        assert not Heartbeat.objects.exists()
        clock.now += 5
        beat(task={})
        assert Heartbeat.objects.exists()

    def test_engine_leaves_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Conf, "CLUSTER_NAME", "engine")
        MonitorBeat()(task={})
        assert not Heartbeat.objects.exists()

    def test_error_of_the_database_does_not_reach_the_monitor(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(name: str) -> None:
            raise DatabaseError("away")

        monkeypatch.setattr(vitals, "heartbeat", fail)
        MonitorBeat()(task={})

    def test_signal_of_the_queue_is_connected(self) -> None:
        post_execute.send(sender="django_q", task={})
        assert Heartbeat.objects.filter(name="queue:me").exists()


def test_heartbeats_of_former_hosts_are_pruned() -> None:
    heartbeat("queue:gone", at=timezone.now() - timedelta(days=2))
    heartbeat("queue", at=timezone.now() - timedelta(days=2))
    heartbeats.prune()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["queue"]
