"""When the queue task that runs a loop stops it."""

from __future__ import annotations

import os
import socket
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django_q.conf import Conf
from django_q.status import Stat

from providers.engine import task

pytestmark = pytest.mark.django_db

OURS = uuid4()


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "_cluster_id", OURS)


def publish(monkeypatch: pytest.MonkeyPatch, cluster_id: UUID, status: str) -> None:
    """The status of a cluster whose sentinel has the process id of ours."""
    published = SimpleNamespace(
        cluster_id=cluster_id, sentinel=os.getppid(), host=socket.gethostname(), status=status
    )
    monkeypatch.setattr(Stat, "get_all", lambda: [published])


@pytest.mark.parametrize("status", [Conf.STOPPING, Conf.STOPPED])
def test_stopping_cluster_stops_its_loops(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    publish(monkeypatch, OURS, status)
    assert task._stop_signal(float("inf"))()


def test_working_cluster_stops_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, OURS, Conf.WORKING)
    assert not task._stop_signal(float("inf"))()


def test_stop_of_an_earlier_cluster_with_the_same_process_id_stops_no_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(monkeypatch, uuid4(), Conf.STOPPED)
    assert not task._stop_signal(float("inf"))()


def test_process_id_decides_without_a_known_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "_cluster_id", None)
    publish(monkeypatch, uuid4(), Conf.STOPPED)
    assert task._stop_signal(float("inf"))()
