"""Hosts where no engine loop runs take part in the fence."""

from __future__ import annotations

import time

import pytest
from django.db import connection

from providers.hold import fence, fence_files, fence_watch
from providers.models import Fence, Hold
from tests.factories.messages import make_message
from tests.support.wait_until import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hold_messages_only"),
]


def test_counter_that_other_hosts_raised_is_kept_in_the_files() -> None:
    Fence.objects.create(pk=Fence.SINGLETON, counter=41)
    fence_watch.look_once()
    assert fence_files.highest() == 41


def test_older_database_is_put_on_hold() -> None:
    message = make_message()
    Fence.objects.create(pk=Fence.SINGLETON, counter=41)
    fence_watch.look_once()
    Fence.objects.update(counter=40)
    fence_watch.look_once()
    message.refresh_from_db()
    assert message.state == "held"
    assert Hold.objects.get().cause == Hold.Cause.OLDER
    fence_watch.look_once()
    assert fence_files.highest() == Fence.objects.get().counter


def test_look_leaves_no_connection_behind() -> None:
    fence_watch.look_once()
    assert connection.connection is None


def test_fault_is_logged_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fence_watch, "EVERY", 0.01)
    calls: list[float] = []

    def fail() -> None:
        calls.append(time.monotonic())
        raise RuntimeError("with a secret in its text")

    monkeypatch.setattr(fence, "look", fail)
    stop = fence_watch.start()
    wait_until(lambda: len(calls) >= 3)
    stop.set()
    assert "could not be looked at (RuntimeError)" in caplog.text
    assert "with a secret" not in caplog.text
