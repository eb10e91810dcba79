"""Whoever started a batch is told once when it ends or stops without them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils.translation import override

from core.models import Notice
from core.stored_texts import show
from messaging.batches import lifecycle, tasks
from messaging.models import Batch, Message
from providers import accounts, clock
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def starter() -> User:
    return make_user("messaging.bulk_message", first_name="Ann", last_name="Lee")


@pytest.fixture
def batch(starter: User) -> Batch:
    return start_batch(make_batch(numbers(2), name="Parcels", by=make_user()), starter)


def told(user: User) -> list[str]:
    return [show(one.text) for one in Notice.objects.filter(user=user).order_by("pk")]


def test_finished_batch_is_told_once_to_whoever_started_it(batch: Batch, starter: User) -> None:
    Message.objects.update(state="submitted")
    lifecycle.finish_completed()
    lifecycle.finish_completed()
    assert told(starter) == ["The batch “Parcels” has finished."]
    notice = Notice.objects.get()
    assert notice.url == f"/messaging/batch/{batch.public_id}/change/"


def test_running_batch_is_not_told(batch: Batch) -> None:
    tasks.tend()
    assert not Notice.objects.exists()


def test_each_pause_by_the_portal_is_told(batch: Batch, starter: User) -> None:
    for _ in range(2):
        assert lifecycle.pause_by_portal(batch, "many_failed", {"failed": 5, "first": 10})
        batch.refresh_from_db()
        lifecycle.resume(batch, starter)
        batch.refresh_from_db()
    assert told(starter) == ["The portal paused the batch “Parcels”. Open it to see why."] * 2


def test_batch_that_could_not_start_at_its_time_is_told(starter: User) -> None:
    batch = make_batch(numbers(2), name="Parcels")
    lifecycle.schedule(batch, starter, clock.now())
    starter.user_permissions.clear()
    tasks.tend()
    assert told(starter) == ["The portal paused the batch “Parcels”. Open it to see why."]


def test_pause_and_cancellation_by_a_colleague_are_told(batch: Batch, starter: User) -> None:
    colleague = make_user(first_name="Bo", last_name="Ek")
    lifecycle.pause(batch, colleague)
    lifecycle.cancel(batch, colleague)
    assert told(starter) == [
        "Bo Ek paused the batch “Parcels”.",
        "Bo Ek cancelled the rest of the batch “Parcels”.",
    ]


def test_own_acts_are_not_told(batch: Batch, starter: User) -> None:
    lifecycle.pause(batch, starter)
    lifecycle.cancel(batch, starter)
    assert told(starter) == []


def test_batch_of_a_paused_account_is_told_once(batch: Batch, starter: User) -> None:
    accounts.pause(batch.account, "no_balance")
    tasks.tend()
    tasks.tend()
    name = batch.account.name
    assert told(starter) == [
        f"The batch “Parcels” has stopped: the account “{name}” is paused. Nothing is lost."
    ]


def test_change_that_came_too_late_is_not_told(batch: Batch, starter: User) -> None:
    lifecycle.cancel(batch, starter)
    assert not lifecycle.pause(batch, make_user())
    assert not Notice.objects.exists()


def test_notice_is_read_in_the_language_of_its_reader(batch: Batch, starter: User) -> None:
    Message.objects.update(state="submitted")
    lifecycle.finish_completed()
    with override("zh-hans"):
        assert told(starter) == ["群发任务“Parcels”已完成。"]
