"""From a batch that has ended to the confirm page of those that were not delivered."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from messaging.batches import lifecycle, tasks
from messaging.models import Batch, Message
from messaging.states import MessageState
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
FINAL = ("undelivered", "expired", "rejected", "refused", "not_sent")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


@pytest.fixture
def ended() -> Batch:
    """A batch with a message in each state in which one may end."""
    states = [*FINAL, "unknown", "delivered", "submitted"]
    batch = start_batch(make_batch(numbers(len(states)), name="Parcels"))
    for message, state in zip(Message.objects.order_by("pk"), states, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    lifecycle.finish_completed()
    batch.refresh_from_db()
    assert batch.state == "finished"
    return batch


def html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def url(batch: Batch, name: str) -> str:
    return f"/messaging/batch/{batch.public_id}/{name}/"


def send_again(browser: Client, batch: Batch) -> Any:
    return browser.post(url(batch, "again"), {"form_token": "again"})


def test_button_counts_only_what_certainly_did_not_arrive(browser: Client, ended: Batch) -> None:
    assert "Send 5 undelivered again…" in html(browser.get(url(ended, "change")))


def test_it_leads_to_the_confirm_page_of_a_new_batch(browser: Client, ended: Batch) -> None:
    answer = send_again(browser, ended)
    again = Batch.objects.get(sent_again_from=ended)
    assert answer["Location"] == url(again, "confirm")
    assert again.title == "Parcels"
    # Its recipients are read first; the page polls meanwhile.
    waiting = html(browser.get(url(again, "confirm")))
    assert url(again, "live") in waiting
    tasks.read(again.pk)
    page = html(browser.get(url(again, "confirm")))
    assert "Send 5 messages" in page
    assert not Message.objects.filter(batch=again).exists()


def test_unknown_and_accepted_are_never_sent_again(browser: Client, ended: Batch) -> None:
    send_again(browser, ended)
    again = Batch.objects.get(sent_again_from=ended)
    tasks.read(again.pk)
    again.refresh_from_db()
    start_batch(again)
    originals = Message.objects.filter(sent_again__batch=again)
    assert {one.state for one in originals} == set(FINAL)
    assert not originals.filter(state=MessageState.UNKNOWN).exists()


def test_pressed_twice_makes_one_batch(browser: Client, ended: Batch) -> None:
    assert send_again(browser, ended)["Location"] == send_again(browser, ended)["Location"]
    assert Batch.objects.filter(sent_again_from=ended).count() == 1


def test_what_was_sent_again_is_not_offered_again(browser: Client, ended: Batch) -> None:
    send_again(browser, ended)
    again = Batch.objects.get(sent_again_from=ended)
    tasks.read(again.pk)
    again.refresh_from_db()
    start_batch(again)
    assert "undelivered again" not in html(browser.get(url(ended, "change")))


def test_running_batch_is_not_sent_again(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(2)))
    Message.objects.update(state="undelivered")
    assert send_again(browser, batch)["Location"] == url(batch, "change")
    assert Batch.objects.count() == 1
