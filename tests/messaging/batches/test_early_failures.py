"""A batch whose first messages fail is paused before the rest is paid for."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.batches import lifecycle
from messaging.batches.early_failures import FAILED, pause_failing
from messaging.models import Batch, Message
from providers.error_texts import explain
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(settings: Any) -> Batch:
    settings.BATCH_FIRST_MESSAGES, settings.BATCH_PAUSE_PERCENT = 20, 40
    return start_batch(make_batch(numbers(50)))


def fail(batch: Batch, count: int, state: str = "undelivered", first: int = 0) -> None:
    rows = Message.objects.filter(batch=batch).order_by("batch_row")[first : first + count]
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(state=state)


@pytest.mark.parametrize("state", sorted(FAILED))
def test_batch_is_paused_once_enough_of_its_first_messages_failed(batch: Batch, state: str) -> None:
    fail(batch, 7, state)
    assert pause_failing() == 0

    fail(batch, 8, state)
    assert pause_failing() == 1

    batch.refresh_from_db()
    assert (batch.state, batch.reason, batch.paused_by) == ("paused", "many_failed", None)
    assert explain(batch.reason, **batch.values).title == (
        "Paused by the portal: 8 of the first 20 messages failed."
    )


def test_failures_after_the_first_messages_do_not_pause_it(batch: Batch) -> None:
    fail(batch, 30, first=20)

    assert pause_failing() == 0


def test_batch_that_staff_continued_is_not_paused_again(batch: Batch) -> None:
    fail(batch, 20)
    pause_failing()
    batch.refresh_from_db()

    assert lifecycle.resume(batch, make_user("messaging.bulk_message"))

    assert pause_failing() == 0
    batch.refresh_from_db()
    assert batch.state == "sending"


def test_pause_by_a_person_says_nothing_about_failures(batch: Batch) -> None:
    person = make_user("messaging.bulk_message")
    assert lifecycle.pause(batch, person)
    batch.refresh_from_db()
    lifecycle.resume(batch, person)
    fail(batch, 20)

    assert pause_failing() == 1


def test_smaller_batch_and_switched_off_check_are_left_alone(batch: Batch, settings: Any) -> None:
    fail(batch, 50)
    settings.BATCH_FIRST_MESSAGES = 51
    assert pause_failing() == 0

    settings.BATCH_FIRST_MESSAGES, settings.BATCH_PAUSE_PERCENT = 20, 0
    assert pause_failing() == 0
