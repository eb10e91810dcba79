"""Write access to the database runs no code: no schedule, no hook and no stored result does."""

from __future__ import annotations

import base64
import logging
import os
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule, Task

from providers.models import Heartbeat
from smsportal.task_queue import known_tasks, plain_pickles
from tests.factories.staff import make_user
from tests.providers.engine.cluster import Cluster, wait_for
from tests.smsportal.test_frozen_names import task_paths


class Exploit:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def plant(folder: Path, **columns: object) -> Task:
    """A finished task with a hostile result, as only someone with SQL can make it."""
    now = timezone.now()
    values: dict[str, Any] = {"name": "planted", "func": "providers.tasks.beat", "success": True}
    task = Task.objects.create(id="planted", started=now, stopped=now, **values, **columns)
    stored = base64.b64encode(pickle.dumps(Exploit(folder))).decode()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_q_task SET result = %s, args = %s, kwargs = %s WHERE id = 'planted'",
            [stored, stored, stored],
        )
    return task


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["success_changelist", "success_change", "schedule_changelist"])
def test_page_of_a_superuser_loads_no_planted_result(
    client: Client, tmp_path: Path, page: str
) -> None:
    folder = tmp_path / "ran"
    plant(folder)
    Schedule.objects.update(task="planted")
    client.force_login(make_user(is_superuser=True))
    args = ["planted"] if page.endswith("_change") else []
    assert client.get(reverse(f"admin:django_q_{page}", args=args)).status_code == 200
    assert not folder.exists()


@pytest.mark.parametrize("value", [None, True, 7, "text", (1, "a"), {"a": [1.5, b"x", {2}]}])
def test_plain_results_are_loaded(value: object) -> None:
    assert plain_pickles.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_that_names_a_function_is_refused(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(pickle.UnpicklingError):
        plain_pickles.loads(pickle.dumps(Exploit(tmp_path / "ran"), protocol))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", sorted(known_tasks.known_tasks()))
def test_every_known_task_exists(name: str) -> None:
    assert callable(known_tasks.locate(name))
    assert known_tasks.locate(name).__name__ == name.rsplit(".", 1)[-1]


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.exec", "providers.models.Account", "", None]
)
def test_other_functions_are_refused(name: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(known_tasks.UnknownTask):
        known_tasks.locate(name)("touch", "anything")
    assert "no task of the portal" in caplog.text


def test_every_task_that_the_code_queues_or_schedules_is_known() -> None:
    assert set(task_paths()) == known_tasks.known_tasks()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_cluster_refuses_a_planted_schedule_and_goes_on(tmp_path: Path) -> None:
    ran, hooked = tmp_path / "ran", tmp_path / "hooked"
    soon = timezone.now() - timedelta(seconds=5)
    Schedule.objects.all().delete()
    Schedule.objects.create(
        name="planted", func="os.mkdir", args=repr(str(ran)), next_run=soon, repeats=1
    )
    Schedule.objects.create(
        name="queue: sign of life",
        func="providers.tasks.beat",
        hook="tests.security.hook.make_folder",
        next_run=soon,
        repeats=1,
    )
    cluster = Cluster(tmp_path, "smsportal")
    os.environ["HOOK_FOLDER"] = str(hooked)
    cluster.start()
    try:
        wait_for(lambda: Task.objects.filter(success=False).exists(), "the refusal")
        wait_for(lambda: Heartbeat.objects.filter(name="queue").exists(), "the sign of life")
        wait_for(lambda: Task.objects.filter(success=True).exists(), "the end of that task")
    finally:
        cluster.kill()
    assert "no task of the portal" in str(Task.objects.get(success=False).result)
    assert not ran.exists()
    assert not hooked.exists()
