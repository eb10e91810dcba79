"""Tasks are killed while they read a batch and while they create its messages."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from messaging.batches import fan_out, lifecycle, tasks
from messaging.models import Batch, Message, StagedRow
from tests.factories.batches import make_batch, numbers

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]


def kill_task(task: str, batch: Batch, chunk: int, folder: Path) -> None:
    """Run a task in a process and kill it inside its nth transaction."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.providers.engine.cluster_settings",
        "TEST_CLUSTER_DATABASE": str(connection.settings_dict["NAME"]),
        "TEST_CLUSTER_CACHE": str(folder),
    }
    command = [sys.executable, "-m", "tests.messaging.batches.stopped_task"]
    with subprocess.Popen(
        [*command, task, str(batch.pk), str(chunk)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.kill()


def test_killed_tasks_lose_and_repeat_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(numbers(200), read_it=False)
    kill_task("read", batch, 3, tmp_path)
    assert StagedRow.objects.count() == 80
    Batch.objects.update(reading_at=timezone.now() - timedelta(minutes=2))
    tasks.tend()
    batch.refresh_from_db()
    assert (batch.state, batch.good, StagedRow.objects.count()) == ("ready", 200, 200)

    lifecycle.start(batch, batch.created_by)
    kill_task("lay_out", batch, 2, tmp_path)
    batch.refresh_from_db()
    assert (batch.laid_out, Message.objects.count()) == (40, 40)
    monkeypatch.setattr(fan_out, "CHUNK", 70)
    tasks.tend()
    batch.refresh_from_db()
    assert (batch.laid_out, Message.objects.count()) == (200, 200)
    assert Message.objects.values("recipient").distinct().count() == 200
