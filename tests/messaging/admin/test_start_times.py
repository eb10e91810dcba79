"""A start or a filter at a local time that does not exist, or that occurs twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.admin.batch_page import fingerprint
from messaging.models import Batch, Message
from providers import clock
from tests.factories.batches import make_batch, numbers
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db

TWICE = {"day": "2027-10-31", "clock": "02:30"}
FIRST, SECOND = datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    autumn = datetime(2027, 10, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: autumn)
    with timezone.override("Europe/Berlin"):
        yield


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def schedule(browser: Client, batch: Batch, **data: str) -> str:
    batch.refresh_from_db()
    page = reverse("admin:messaging_batch_confirm", args=[batch.public_id])
    data = {"when": "later", "seen": fingerprint(batch), **data}
    answer = browser.post(page, data).content.decode()
    batch.refresh_from_db()
    return answer


def test_start_at_a_time_that_does_not_exist_is_asked_about(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 3, 1, tzinfo=UTC))
    batch = make_batch(numbers(2))
    page = schedule(browser, batch, day="2027-03-28", clock="02:30")
    assert batch.state == "ready"
    assert "This time does not exist on that day: clocks are set forward" in page
    assert 'value="2027-03-28"' in page
    assert 'value="02:30"' in page


def test_start_at_a_time_that_occurs_twice_offers_both_and_presets_none(browser: Client) -> None:
    batch = make_batch(numbers(2))
    page = schedule(browser, batch, **TWICE)
    assert batch.state == "ready"
    assert "This time occurs twice on that day. Choose one." in page
    choices = page.partition('role="radiogroup"')[2].partition("</span>")[0]
    assert "2027-10-31 02:30:00 UTC+02:00" in choices
    assert "2027-10-31 02:30:00 UTC+01:00" in choices
    assert "checked" not in choices


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_chosen_one_of_the_two_is_the_start(browser: Client, moment: datetime) -> None:
    batch = make_batch(numbers(2))
    schedule(browser, batch, **TWICE, occurrence=moment.isoformat())
    assert (batch.state, batch.scheduled_for) == ("scheduled", moment)


@pytest.mark.parametrize("occurrence", ["", "x", "2027-10-31T05:30:00+00:00"])
def test_nothing_else_is_accepted_as_a_choice(browser: Client, occurrence: str) -> None:
    batch = make_batch(numbers(2))
    schedule(browser, batch, **TWICE, occurrence=occurrence)
    assert batch.state == "ready"


def listed(browser: Client, **query: str) -> tuple[set[int], str]:
    answer = browser.get(reverse("admin:messaging_message_changelist"), query)
    rows = answer.context["cl"].result_list
    return {row.pk for row in rows}, answer.content.decode()


def message_at(moment: datetime) -> int:
    pk = make_message().pk
    Message.objects.filter(pk=pk).update(created_at=moment)
    return int(pk)


def test_filter_from_a_time_that_occurs_twice_includes_both(browser: Client) -> None:
    first, second = message_at(FIRST), message_at(SECOND)
    day, time = "2027-10-31", "02:30:00"
    assert listed(browser, created_at_from_0=day, created_at_from_1=time)[0] == {first, second}
    assert listed(browser, created_at_to_0=day, created_at_to_1=time)[0] == {first, second}


def test_filter_at_a_time_that_does_not_exist_says_so_beside_the_field(browser: Client) -> None:
    before = message_at(datetime(2027, 3, 28, 0, 59, tzinfo=UTC))
    after = message_at(datetime(2027, 3, 28, 1, 1, tzinfo=UTC))
    day, time = "2027-03-28", "02:30:00"
    found, page = listed(browser, created_at_from_0=day, created_at_from_1=time, filters="open")
    assert found == {after}
    assert "This time does not exist on that day" in page
    found, page = listed(browser, created_at_to_0=day, created_at_to_1=time, filters="open")
    assert found == {before}
    assert "This time does not exist on that day" in page
