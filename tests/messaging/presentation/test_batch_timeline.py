"""The timeline of a batch."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.batches import lifecycle, prune_batches, tasks
from messaging.models import Batch, Message
from messaging.presentation.batch_timeline import batch_timeline
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia() -> User:
    user = make_staff("manager")
    user.first_name = "Mia"
    user.save()
    return user


@pytest.fixture
def browser(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def act(browser: Client, batch: Batch, name: str, **data: object) -> None:
    url = reverse(f"admin:messaging_batch_{name}", args=[batch.public_id])
    browser.post(url, data)
    batch.refresh_from_db()


def lines_of(batch: Batch) -> list[str]:
    entries = batch_timeline(Batch.objects.get(pk=batch.pk))
    times = [entry.at for entry in entries if entry.at]
    assert times == sorted(times)
    return [entry.text for entry in entries]


def test_everything_that_people_did_is_there_in_time_with_names(browser: Client, mia: User) -> None:
    batch = make_batch(f"{numbers(3)}\n12", by=mia)
    start_batch(batch, mia)
    act(browser, batch, "pause")
    act(browser, batch, "continue")
    act(browser, batch, "pause")
    act(browser, batch, "cancel")
    assert lines_of(batch) == [
        "Created by Mia",
        "Checked: 3 of 4 rows can be sent",
        "Started",
        "Paused by Mia",
        "Continued by Mia",
        "Paused by Mia",
        "Cancelled for the rest by Mia",
    ]
    page = browser.get(reverse("admin:messaging_batch_change", args=[batch.public_id]))
    html = page.content.decode()
    assert html.count("Paused by Mia") == 2
    assert html.index("Created by Mia") < html.index("Cancelled for the rest by Mia")


def test_another_check_and_a_schedule_are_there(browser: Client, mia: User) -> None:
    batch = make_batch(numbers(2), by=mia)
    act(browser, batch, "check", text="Other text", number_column="0")
    assert lines_of(batch) == ["Created by Mia", "Another check requested by Mia", "Not read yet"]
    tasks.read(batch.pk)
    batch.refresh_from_db()
    at = timezone.now() + timedelta(hours=1)
    lifecycle.schedule(batch, mia, at)
    *past, next_one = lines_of(batch)
    assert past[-1] == "Checked: 2 of 2 rows can be sent"
    assert next_one.startswith("Starts automatically at ")
    Batch.objects.update(scheduled_for=timezone.now() - timedelta(minutes=1))
    assert lifecycle.start_due() == 1
    assert lines_of(batch)[-1] == "Started by the portal, as scheduled"


def test_a_pause_of_the_portal_stays_after_somebody_continued(browser: Client, mia: User) -> None:
    batch = start_batch(make_batch(numbers(2), by=mia), mia)
    Batch.objects.update(moved_at=timezone.now() - timedelta(days=2))
    lifecycle.pause_stalled()
    paused = lines_of(batch)[-1]
    assert paused.startswith("Paused by the portal: ")
    act(browser, batch, "continue")
    assert lines_of(batch)[-2:] == [paused, "Continued by Mia"]


def test_a_batch_that_was_paused_before_its_start_is_started_once(
    browser: Client, mia: User
) -> None:
    batch = make_batch(numbers(2), by=mia)
    lifecycle.schedule(batch, mia, timezone.now() - timedelta(days=2))
    assert lifecycle.start_due() == 0
    act(browser, batch, "continue")
    assert batch.state == "sending"
    assert lines_of(batch)[-1] == "Started by Mia"
    assert not any(line.startswith("Continued") for line in lines_of(batch))


@pytest.mark.parametrize(
    ("end", "line"),
    [
        ("finish", "Finished: no message is waiting"),
        ("administrator", "Cancelled by the administrator"),
        ("discard", "Discarded by Mia"),
        ("prune", "Discarded by the portal: not started in time"),
    ],
)
def test_the_end_is_there(mia: User, end: str, line: str) -> None:
    batch = make_batch(numbers(2), by=mia)
    if end in ("finish", "administrator"):
        batch = start_batch(batch, mia)
    if end == "finish":
        Message.objects.update(state="delivered")
        lifecycle.finish_completed()
    elif end == "prune":
        Batch.objects.update(created_at=timezone.now() - timedelta(days=40))
        prune_batches.prune()
    else:
        lifecycle.cancel(batch, mia if end == "discard" else None)
    assert lines_of(batch)[-1] == line


def test_a_file_that_cannot_be_read_says_so() -> None:
    assert lines_of(make_batch(b"\x89PNG"))[-1] == "Checked: it cannot be read"
