"""A cluster of the current code runs the tasks that an earlier release queued."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from django_q.models import OrmQ, Task

from messaging.models import Batch
from providers.models import Heartbeat
from tests.providers.engine.cluster import Cluster, wait_for

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("upgraded")]

LOOP = "providers.engine.task.run"


@pytest.fixture
def clusters(upgraded: None, tmp_path: Path) -> Iterator[list[Cluster]]:
    running = [Cluster(tmp_path, name) for name in ("smsportal", "engine")]
    yield running
    for cluster in running:
        cluster.kill()


@pytest.mark.slow
def test_queued_tasks_of_the_old_version_run_to_success(clusters: list[Cluster]) -> None:
    waiting = {row.task_id(): row.task for row in OrmQ.objects.all()}
    paths = {task.get("func") for task in waiting.values()}
    assert LOOP in paths
    assert len(paths) > 15
    reading = Batch.objects.get(state="reading")
    for cluster in clusters:
        cluster.start()
    # A loop runs until its cluster stops.
    others = {key for key, task in waiting.items() if task["func"] != LOOP}
    wait_for(lambda: not _still_queued(others), "the end of the old tasks")
    wait_for(lambda: Heartbeat.objects.filter(name__startswith="loop:").exists(), "a loop")
    for cluster in clusters:
        cluster.stop()

    ended = Task.objects.filter(pk__in=waiting)
    assert {task.func: task.result for task in ended.filter(success=False)} == {}
    recorded = {key for key, task in waiting.items() if task.get("save", True)}
    assert recorded - set(ended.values_list("pk", flat=True)) == set()
    assert _still_queued(waiting) == set()
    reading.refresh_from_db()
    assert reading.state == "ready"


def _still_queued(tasks: Collection[str]) -> set[str]:
    return {row.task_id() for row in OrmQ.objects.all()} & set(tasks)
