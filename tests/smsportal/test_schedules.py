"""What the queue does by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils.module_loading import import_string
from django_q.models import Schedule

from smsportal.schedules import ensure_schedules, scheduled_tasks

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


def rows() -> list[dict[str, object]]:
    return list(Schedule.objects.order_by("name").values())


def test_every_duty_has_one_schedule_after_the_migrations() -> None:
    assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted(
        duty.name for duty in scheduled_tasks()
    )


def test_a_second_time_changes_nothing() -> None:
    before = rows()
    ensure_schedules()
    assert rows() == before


@pytest.mark.parametrize(
    "spoilt",
    [{"func": "os.abort"}, {"minutes": 999}, {"schedule_type": Schedule.ONCE}, {"repeats": 0}],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_a_row_that_was_changed_is_mended(spoilt: dict[str, object]) -> None:
    before = rows()
    Schedule.objects.update(**spoilt)
    ensure_schedules()
    assert rows() == before


def test_a_row_that_was_deleted_comes_back() -> None:
    Schedule.objects.all().delete()
    ensure_schedules()
    assert Schedule.objects.count() == len(scheduled_tasks())


def test_a_mended_row_keeps_its_next_run() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    Schedule.objects.update(minutes=999, next_run=moment)
    ensure_schedules()
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {moment}


def test_schedules_of_others_are_left_alone() -> None:
    Schedule.objects.create(name="somebody else's", func="math.sqrt", minutes=7)
    ensure_schedules()
    assert Schedule.objects.get(name="somebody else's").minutes == 7


@pytest.mark.parametrize("duty", scheduled_tasks(), ids=lambda duty: duty.name)
def test_every_duty_can_be_found(duty: object) -> None:
    assert callable(import_string(duty.func))  # type: ignore[attr-defined]


def test_no_daily_duty_stands_in_the_hour_when_clocks_change() -> None:
    assert [duty for duty in scheduled_tasks() if duty.at and duty.at.hour == 2] == []


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (datetime(2026, 3, 2, 4, 9, tzinfo=SHANGHAI), datetime(2026, 3, 2, 4, 10, tzinfo=SHANGHAI)),
        (
            datetime(2026, 3, 2, 4, 11, tzinfo=SHANGHAI),
            datetime(2026, 3, 3, 4, 10, tzinfo=SHANGHAI),
        ),
    ],
)
def test_a_daily_duty_begins_at_its_next_hour(now: datetime, first: datetime) -> None:
    Schedule.objects.all().delete()
    with time_machine.travel(now, tick=False):
        ensure_schedules()
    assert Schedule.objects.get(name="data: prune").next_run == first
