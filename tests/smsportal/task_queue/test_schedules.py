"""The scheduled tasks of the queue."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils.module_loading import import_string
from django_q.models import Schedule

from smsportal.task_queue.schedules import ensure_schedules, scheduled_tasks

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


def rows() -> list[dict[str, object]]:
    return list(Schedule.objects.order_by("name").values())


def test_every_task_has_one_schedule_after_migrations() -> None:
    assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted(
        task.name for task in scheduled_tasks()
    )


def test_ensuring_schedules_again_changes_nothing() -> None:
    before = rows()
    ensure_schedules()
    assert rows() == before


@pytest.mark.parametrize(
    "changes",
    [{"func": "os.abort"}, {"minutes": 999}, {"schedule_type": Schedule.ONCE}, {"repeats": 0}],
    ids=lambda changes: next(iter(changes)),
)
def test_changed_schedule_is_repaired(changes: dict[str, object]) -> None:
    before = rows()
    Schedule.objects.update(**changes)
    ensure_schedules()
    assert rows() == before


def test_deleted_schedule_is_restored() -> None:
    Schedule.objects.all().delete()
    ensure_schedules()
    assert Schedule.objects.count() == len(scheduled_tasks())


def test_repaired_schedule_keeps_its_next_run() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    Schedule.objects.update(minutes=999, next_run=moment)
    ensure_schedules()
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {moment}


def test_other_schedules_do_not_change() -> None:
    Schedule.objects.create(name="somebody else's", func="math.sqrt", minutes=7)
    ensure_schedules()
    assert Schedule.objects.get(name="somebody else's").minutes == 7


@pytest.mark.parametrize("task", scheduled_tasks(), ids=lambda task: task.name)
def test_every_task_function_can_be_imported(task: object) -> None:
    assert callable(import_string(task.func))  # type: ignore[attr-defined]


def test_no_daily_task_starts_in_the_hour_when_clocks_change() -> None:
    assert [task for task in scheduled_tasks() if task.at and task.at.hour == 2] == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 2, 4, 9, tzinfo=SHANGHAI), datetime(2026, 3, 2, 4, 10, tzinfo=SHANGHAI)),
        (
            datetime(2026, 3, 2, 4, 11, tzinfo=SHANGHAI),
            datetime(2026, 3, 3, 4, 10, tzinfo=SHANGHAI),
        ),
    ],
)
def test_daily_task_first_runs_at_its_next_start_time(now: datetime, expected: datetime) -> None:
    Schedule.objects.all().delete()
    with time_machine.travel(now, tick=False):
        ensure_schedules()
    assert Schedule.objects.get(name="data: prune").next_run == expected
