"""Work that an earlier release left behind: queued tasks run, and a call that was under way is
never made a second time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone
from django_q.models import OrmQ, Task

from messaging.models import Batch, Message
from otp.models import Attempt
from providers.engine.sources import sources
from providers.models import Account, Enquiry, Heartbeat
from providers.sandbox.server import Sandbox
from rentals.models import Cancel, Order, Reading
from tests.builders import run_rounds
from tests.providers.engine.cluster import Cluster, wait_for

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("upgraded")]

LOOPS = "providers.engine.task.run"


@pytest.fixture
def clusters(upgraded: None, tmp_path: Path) -> Iterator[list[Cluster]]:
    running = [Cluster(tmp_path, name) for name in ("smsportal", "engine")]
    yield running
    for cluster in running:
        cluster.kill()


@pytest.mark.slow
def test_queued_tasks_of_the_old_version_run_to_success(clusters: list[Cluster]) -> None:
    waiting = {row.task_id(): row.task for row in OrmQ.objects.all()}
    paths = {task["func"] for task in waiting.values()}
    assert LOOPS in paths
    assert len(paths) > 15
    reading = Batch.objects.get(state="reading")
    for cluster in clusters:
        cluster.start()
    loops = {key for key, task in waiting.items() if task["func"] == LOOPS}
    others = waiting.keys() - loops
    wait_for(lambda: not _still_queued(others), "the end of the old tasks")
    wait_for(lambda: Heartbeat.objects.filter(name__startswith="loop:").exists(), "a loop")
    for cluster in clusters:
        cluster.stop()

    ended = Task.objects.filter(pk__in=waiting)
    assert {task.func: task.result for task in ended.filter(success=False)} == {}
    kept = {key for key, task in waiting.items() if task.get("save", True)}
    assert kept - set(ended.values_list("pk", flat=True)) == set()
    assert not _still_queued(waiting.keys())
    reading.refresh_from_db()
    assert reading.state == "ready"


def _still_queued(tasks: Any) -> set[str]:
    return {row.task_id() for row in OrmQ.objects.all()} & set(tasks)


def _in_state(model: type[Model], *states: str) -> set[int]:
    return set(model._default_manager.filter(state__in=states).values_list("pk", flat=True))


def _states(model: type[Model], keys: set[int]) -> set[str]:
    return set(model._default_manager.filter(pk__in=keys).values_list("state", flat=True))


def _let_time_pass() -> None:
    """The loop that held them died 121 seconds ago, whenever the dump was made."""
    long_ago = timezone.now() - timedelta(seconds=121)
    Heartbeat.objects.filter(name__startswith="loop:").delete()
    for model in (Message, Order, Cancel, Attempt):
        rows = model._default_manager.filter(claim__isnull=False)
        rows.update(claimed_at=long_ago)
        rows.filter(handed_over_at__isnull=False).update(handed_over_at=long_ago)
    # None of them waited so long that it is held back.
    Message.objects.update(queued_at=timezone.now())
    for asked in (Enquiry, Reading):
        asked._default_manager.filter(claim__isnull=False).update(claimed_at=long_ago)


def test_rows_in_flight_are_settled_and_never_paid_again() -> None:
    claimed = {model: _in_state(model, "claimed") for model in (Message, Order, Cancel)}
    called = {model: _in_state(model, "sending", "placing") for model in (*claimed, Attempt)}
    assert all(claimed.values())
    assert all(called.values())
    numbers = set(Message.objects.filter(state="sending").values_list("recipient", flat=True))
    _let_time_pass()

    for source in sources():
        source.sweep()

    assert {model: _states(model, keys) for model, keys in claimed.items()} == {
        Message: {"queued"},
        Order: {"queued"},
        Cancel: {"queued"},
    }
    settled = {Message: {"unknown"}, Order: {"unknown"}, Cancel: {"unclear"}, Attempt: {"unknown"}}
    assert {model: _states(model, keys) for model, keys in called.items()} == settled
    with Sandbox() as sandbox:
        for account in Account.objects.filter(paused_at=None):
            address = sandbox.base_url(account.provider)
            Account.objects.filter(pk=account.pk).update(base_url=address)
        run_rounds(40)
        paid = sandbox.book.entries()
        ordered = sandbox.book.entries(provider="gosms", operation="place_order")
    said = " ".join(str(entry.fields) for entry in paid)
    assert any(entry.operation == "send" for entry in paid)
    assert [number for number in numbers if number.strip("+") in said] == []
    assert not [entry for entry in ordered if "telegram" in str(entry.fields)]
    assert {model: _states(model, keys) for model, keys in called.items()} == settled
