"""A queue without tasks does little, and says when it stops."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django_q.conf import Conf
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from smsportal.task_queue import broker as queue_broker
from smsportal.task_queue import sentinel as queue_sentinel
from smsportal.task_queue.broker import Broker
from smsportal.task_queue.sentinel import RareStat


@pytest.mark.django_db
class TestBroker:
    @pytest.fixture
    def slept(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        found: list[float] = []
        clock = SimpleNamespace(monotonic=lambda: 1000.0 + sum(found), sleep=found.append)
        monkeypatch.setattr(queue_broker, "time", clock)
        monkeypatch.setattr("django_q.brokers.orm.sleep", found.append)
        return found

    def test_empty_queue_is_asked_often_for_a_while_and_then_rarely(
        self, slept: list[float]
    ) -> None:
        broker = Broker(Conf.CLUSTER_NAME)
        async_task("providers.tasks.beat", save=False)
        assert broker.dequeue()
        for _ in range(100):
            broker.dequeue()
        looks_while_awake = int(queue_broker.RESTS_AFTER / Conf.POLL)
        assert slept[:looks_while_awake] == [Conf.POLL] * looks_while_awake
        assert sum(slept[-2:]) == pytest.approx(queue_broker.REST)

    def test_task_after_a_rest_wakes_it(self, slept: list[float]) -> None:
        broker = Broker(Conf.CLUSTER_NAME)
        broker.dequeue()
        async_task("providers.tasks.beat", save=False)
        assert broker.dequeue()
        slept.clear()
        broker.dequeue()
        assert slept == [Conf.POLL]


@pytest.mark.django_db
class TestStatus:
    @pytest.fixture(autouse=True)
    def nothing_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(RareStat, "_said", None)
        cache.clear()

    def sentinel(self, status: str) -> Any:
        empty = SimpleNamespace(qsize=lambda: 0)
        return SimpleNamespace(
            parent_pid=1,
            pid=2,
            cluster_id="some-cluster",
            broker=Broker(Conf.CLUSTER_NAME),
            tob=None,
            reincarnations=0,
            status=lambda: status,
            monitor=None,
            pusher=None,
            pool=[],
            task_queue=empty,
            result_queue=empty,
        )

    def said(self) -> list[str]:
        broker = Broker(Conf.CLUSTER_NAME)
        return [SignedPackage.loads(one).status for one in broker.get_stats("")]

    def test_stop_is_said_at_once(self) -> None:
        RareStat(self.sentinel(Conf.IDLE)).save()
        assert self.said() == [Conf.IDLE]
        RareStat(self.sentinel(Conf.WORKING)).save()
        assert self.said() == [Conf.IDLE]
        RareStat(self.sentinel(Conf.STOPPING)).save()
        assert self.said() == [Conf.STOPPING]

    def test_unchanged_status_is_said_again_before_it_expires(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        RareStat(self.sentinel(Conf.IDLE)).save()
        cache.clear()
        now = time.monotonic() + queue_sentinel.SAY_EVERY + 1
        monkeypatch.setattr(queue_sentinel, "time", SimpleNamespace(monotonic=lambda: now))
        RareStat(self.sentinel(Conf.IDLE)).save()
        assert self.said() == [Conf.IDLE]

    def test_cache_that_fails_does_not_end_the_sentinel(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(Broker, "set_stat", fail)
        RareStat(self.sentinel(Conf.IDLE)).save()
        assert self.said() == []
