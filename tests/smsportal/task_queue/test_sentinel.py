"""What a killed process of a cluster leaves behind hinders no successor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django_q import cluster
from django_q.queues import Queue

from providers.engine import task
from smsportal.task_queue.sentinel import Sentinel, install
from tests.support.wait_until import wait_until

FORK = multiprocessing.get_context("fork")


class Guarded(Sentinel):
    """A sentinel without a database, whose monitor and pusher are the given functions."""

    def __init__(self, monitor: Callable[[Any], None], pusher: Callable[[Any], None]) -> None:
        self.task_queue, self.result_queue = Queue(), Queue()
        self.reincarnations = 0
        self.targets = {"monitor": monitor, "pusher": pusher}
        self.monitor = self.spawn_monitor()
        self.pusher = self.spawn_pusher()

    def spawn_monitor(self) -> BaseProcess:
        return started(self.targets["monitor"], self.result_queue)

    def spawn_pusher(self) -> BaseProcess:
        return started(self.targets["pusher"], self.task_queue)


def started(target: Callable[[Any], None], queue: Any) -> BaseProcess:
    process = FORK.Process(target=target, args=(queue,), daemon=True)
    process.start()
    return process


def pass_results_on(results: Any) -> None:
    for path in iter(results.get, None):
        Path(path).touch()


def hold_lock_for_writers(tasks: Any) -> None:
    """Wait with the lock in hand, or write if it cannot be had."""
    with tasks._wlock:
        time.sleep(60)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    monkeypatch.setattr(cluster.db.connections, "close_all", lambda: None)
    sentinel = Guarded(pass_results_on, hold_lock_for_writers)
    yield sentinel
    for process in (sentinel.monitor, sentinel.pusher):
        process.kill()


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def is_held(lock: Any) -> bool:
    if not lock.acquire(block=False):
        return True
    lock.release()
    return False


def test_new_monitor_gets_results_although_the_dead_one_held_the_lock(
    guarded: Guarded, tmp_path: Path
) -> None:
    wait_until(lambda: is_held(guarded.result_queue._rlock))
    kill(guarded.monitor)
    guarded.reincarnate(guarded.monitor)
    guarded.result_queue.put(str(tmp_path / "result"))
    wait_until((tmp_path / "result").exists, at_most=20)


def test_new_pusher_can_write_although_the_dead_one_held_the_lock(guarded: Guarded) -> None:
    wait_until(lambda: is_held(guarded.task_queue._wlock))
    kill(guarded.pusher)
    guarded.targets["pusher"] = lambda tasks: tasks.put("a task")
    guarded.reincarnate(guarded.pusher)
    assert guarded.task_queue.get(timeout=20) == "a task"


def test_lock_that_was_free_is_free_afterwards(guarded: Guarded, tmp_path: Path) -> None:
    guarded.targets["monitor"] = lambda results: None
    wait_until(lambda: is_held(guarded.result_queue._rlock))
    guarded.result_queue.put(str(tmp_path / "result"))
    guarded.result_queue.put(None)
    guarded.monitor.join()
    guarded.reincarnate(guarded.monitor)
    assert not is_held(guarded.result_queue._rlock)


def test_cluster_uses_this_sentinel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "Sentinel", cluster.Sentinel)
    install()
    assert cluster.Sentinel is Sentinel


def test_workers_know_their_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "_cluster_id", None)
    # It would change how this process takes signals.
    monkeypatch.setattr(cluster.signal, "signal", lambda *_: None)
    cluster_id = uuid4()
    Sentinel(FORK.Event(), FORK.Event(), cluster_id, broker=object(), start=False)
    assert task._cluster_id == cluster_id
