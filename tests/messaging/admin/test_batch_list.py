"""The list of batches: name, text, progress, search, and updates while it is open."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from messaging.models import Batch, Message
from messaging.presentation.batch_bar import progress_of_many
from providers import accounts
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
URL = "/messaging/batch/"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def post_new(browser: Client, **changes: str) -> Batch:
    form = {
        "account": make_account().public_id,
        "sms_kind": "T",
        "sender_id": "HAORUI",
        "text": "Your parcel is here.\nCome and get it, please, before Friday.",
        "pasted": "13912345678",
        "form_token": "one",
        **changes,
    }
    assert browser.post("/messaging/batch/new/", form).status_code == 302
    return Batch.objects.get()


def test_batch_has_the_typed_name(browser: Client) -> None:
    assert post_new(browser, name=" Parcels ").name == "Parcels"


def test_batch_without_a_name_is_called_by_its_text(browser: Client) -> None:
    assert post_new(browser).name == "Your parcel is here. Come and get it, p…"


def test_row_shows_name_text_and_progress(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(4), name="Parcels", text="Hello {there"))
    states = ("delivered", "delivered", "delivered", "undelivered")
    for message, state in zip(Message.objects.all(), states, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    page = html(browser.get(URL))
    assert "Parcels" in page
    assert "Hello {there" in page
    assert "4 of 4" in page
    assert "75.0% delivered" in page
    assert 'class="fill-good" x="0.0%" width="75.0%" height="100%"' in page
    assert 'class="fill-bad" x="75.0%" width="25.0%" height="100%"' in page
    assert batch.title == "Parcels"


def test_batch_that_was_not_started_has_no_bar(browser: Client) -> None:
    make_batch("13912345678")
    assert "batch-bar" not in html(browser.get(URL))


@pytest.mark.parametrize(
    ("term", "found"), [("parcel", True), ("HELLO", True), ("list.csv", True), ("nothing", False)]
)
def test_search_finds_name_text_and_file(browser: Client, term: str, found: bool) -> None:
    make_batch(b"13912345678", name="Parcels", text="Hello", file_name="list.csv")
    assert ("Parcels" in html(browser.get(URL, {"q": term}))) is found


def test_running_batch_says_how_long_it_takes(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(4)))
    Batch.objects.filter(pk=batch.pk).update(a_minute=1.0)
    assert "0 of 4 · about 4 min left" in html(browser.get(URL))
    accounts.pause(batch.account, "by_hand")
    cache.clear()
    assert "left" not in html(browser.get(URL)).split("batch-bar")[1].split("</span>")[0], (
        "nobody knows how long it takes while the account is paused"
    )


def test_open_list_receives_state_and_progress(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(2)))
    answer = browser.get(
        reverse("admin:messaging_batch_changes"), headers={"X-Rows": batch.public_id}
    )
    cells = answer.json()["rows"][batch.public_id]
    assert set(cells) == {"state_", "progress_"}
    assert "0 of 2" in cells["progress_"]


def test_all_batches_of_a_page_are_counted_in_one_query(
    browser: Client, django_assert_num_queries: Any
) -> None:
    account = make_account()
    batches = [start_batch(make_batch(numbers(2, index * 10), account)) for index in range(3)]
    cache.clear()
    with django_assert_num_queries(1):
        counted = progress_of_many(batches)
    assert [counted[one.pk].waiting for one in batches] == [2, 2, 2]


def test_large_batch_is_not_counted_again_at_once(django_assert_num_queries: Any) -> None:
    batch = start_batch(make_batch(numbers(2)))
    batch.good = 5_000
    cache.clear()
    progress_of_many([batch])
    with django_assert_num_queries(0):
        assert progress_of_many([batch])[batch.pk].total == 5_000
