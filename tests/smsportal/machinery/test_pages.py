"""The pages over the tables of libraries say in words what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule, Task

from smsportal.machinery.queue_pages import how_often
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return browser_of(member(name="chief", superuser=True))


def html_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def change(model: type[Any] = User, **fields: Any) -> LogEntry:
    values = {"object_pk": "1", "object_repr": "<b>thing</b>", "action": 1, **fields}
    return LogEntry.objects.create(content_type=ContentType.objects.get_for_model(model), **values)


@pytest.mark.parametrize(
    ("minutes", "words"), [(1, "every minute"), (10, "every 10 minutes"), (1440, "daily")]
)
def test_interval_of_a_schedule_in_words(minutes: int, words: str) -> None:
    assert how_often(Schedule(schedule_type="I", minutes=minutes)) == words


def test_schedules_say_what_they_do_and_how_their_last_run_ended(browser: Client) -> None:
    now = timezone.now()
    failed = Task.objects.create(
        id="t1", name="n", func="otp.tasks.expire", started=now, stopped=now, success=False
    )
    Schedule.objects.filter(func="otp.tasks.expire").update(task=failed.pk)
    html = html_of(browser, "/django_q/schedule/")
    assert "Expire code sessions" in html
    assert "Failed" in html
    assert "otp.tasks.expire" not in html


def test_failed_task_shows_its_error_as_text(browser: Client) -> None:
    now = timezone.now()
    Task.objects.create(
        id="t1",
        name="n",
        func="otp.tasks.expire",
        started=now - timedelta(seconds=3),
        stopped=now,
        success=False,
        result="ValueError: <script>\nTraceback",
    )
    assert "ValueError: &lt;script&gt;" in html_of(browser, "/django_q/failure/")
    page = html_of(browser, "/django_q/failure/t1/change/")
    assert "Traceback" in page
    assert "<script>\nTraceback" not in page


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"first_name": ["Old", "<i>New"]}, ("First name", "Old", "&lt;i&gt;New")),
        ({"groups": {"type": "m2m", "operation": "add", "objects": ["a <b>"]}}, ("a &lt;b&gt;",)),
        ({"gone_field": ["None", "1"]}, ("gone_field",)),
        ({"first_name": ["only one"]}, ("only one",)),
        ({"first_name": "odd"}, ("odd",)),
        (None, ()),
    ],
)
def test_change_names_each_field_before_and_after(
    browser: Client, changes: Any, shown: tuple[str, ...]
) -> None:
    entry = change(changes=changes)
    page = html_of(browser, f"/auditlog/logentry/{entry.pk}/change/")
    listed = html_of(browser, "/auditlog/logentry/")
    for text in shown:
        assert text in page
    assert "&lt;b&gt;thing" in listed
    assert "<b>thing" not in page + listed


def test_list_of_changes_names_a_few_fields_and_counts_the_rest(browser: Client) -> None:
    change(changes={f"field_{n}": ["a", "b"] for n in range(9)})
    html = html_of(browser, "/auditlog/logentry/")
    assert "and 5 more" in html
    assert "&lt;span" not in html


def test_change_of_a_model_that_is_gone_is_still_shown(browser: Client) -> None:
    kind = ContentType.objects.create(app_label="gone", model="thing")
    LogEntry.objects.create(
        content_type=kind, object_pk="1", object_repr="x", action=0, changes={"a": ["", "b"]}
    )
    assert "thing" in html_of(browser, "/auditlog/logentry/")
    assert Group.objects.exists()
