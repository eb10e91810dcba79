"""A test of a batch from its confirm page, and the samples that the page shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from messaging import do_not_send
from messaging.admin.batch_page import fingerprint
from messaging.models import Batch, Message
from providers import accounts
from providers.models import DailyLimit
from tests.factories.batches import make_batch
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
FILE = b"Phone,Name\n13912345601,Li\n13912345602,Wang\n"
MINE = "138 0013 8000"


@pytest.fixture
def manager(client: Client) -> User:
    user = make_staff("manager")
    client.force_login(user)
    return user


@pytest.fixture
def batch() -> Batch:
    return make_batch(FILE, text="Dear {Name}!")


def html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def url(batch: Batch, name: str) -> str:
    return f"/messaging/batch/{batch.public_id}/{name}/"


def post(client: Client, batch: Batch, **changes: str) -> Any:
    form = {"recipient": MINE, "form_token": "one", "row_index": "0", **changes}
    return client.post(url(batch, "test"), form)


def test_page_shows_samples_of_rows(client: Client, manager: User, batch: Batch) -> None:
    own = make_batch(FILE, text="Dear {Name}!", by=manager)
    page = html(client.get(url(own, "confirm")))
    assert "Dear Li!" in page
    assert "row/?row=1" in page
    assert "Dear Wang!" in html(client.get(url(own, "row"), {"row": "1"}))


def test_test_is_one_message_with_the_text_of_the_shown_row(
    client: Client, manager: User, batch: Batch
) -> None:
    answer = post(client, batch, row_index="1")
    assert answer["Location"] == url(batch, "confirm")
    message = Message.objects.get()
    assert (message.recipient, message.text) == ("+8613800138000", "Dear Wang!")
    assert (message.batch, message.belongs_to) == (None, f"batch:{batch.pk}")
    assert (message.created_by, message.sender_id) == (manager, "HAORUI")
    batch.refresh_from_db()
    assert batch.state == "ready"
    assert message.public_id in html(client.get(url(batch, "confirm")))


def test_form_posted_twice_sends_one_test(client: Client, manager: User, batch: Batch) -> None:
    post(client, batch)
    post(client, batch)
    assert Message.objects.count() == 1
    assert "Nothing was sent twice." in html(client.get(url(batch, "confirm")))


def test_second_test_to_the_same_number_is_confirmed_first(
    client: Client, manager: User, batch: Batch
) -> None:
    post(client, batch)
    answer = post(client, batch, form_token="two")
    assert "sent the same text to this number" in html(answer)
    assert Message.objects.count() == 1
    post(client, batch, form_token="two", confirmed=Message.objects.get().public_id)
    assert Message.objects.count() == 2


def test_wrong_number_is_reported_beside_its_field(
    client: Client, manager: User, batch: Batch
) -> None:
    answer = post(client, batch, recipient="12", row_index="1")
    assert "test_recipient_error" in html(answer)
    assert answer.context["preview"]["index"] == 1
    assert not Message.objects.exists()


def test_listed_number_gets_no_test(client: Client, manager: User, batch: Batch) -> None:
    do_not_send.add("+8613800138000", "asked", make_user())
    assert "test_recipient_error" in html(post(client, batch))
    assert not Message.objects.exists()


def test_test_counts_in_the_daily_limits(client: Client, manager: User, batch: Batch) -> None:
    DailyLimit.objects.create(what="messages", user=manager, most=1)
    post(client, batch)
    answer = post(client, batch, form_token="two", recipient="138 0013 8001")
    assert answer.status_code == 200
    assert Message.objects.count() == 1


def test_paused_account_sends_no_test(client: Client, manager: User, batch: Batch) -> None:
    accounts.pause(batch.account, "no_balance")
    assert "cannot send now" in html(client.get(url(batch, "confirm")))
    post(client, batch)
    assert not Message.objects.exists()


@pytest.mark.parametrize("state", ["reading", "scheduled", "sending", "finished", "cancelled"])
def test_batch_in_another_state_sends_no_test(
    client: Client, manager: User, batch: Batch, state: str
) -> None:
    Batch.objects.filter(pk=batch.pk).update(state=state)
    post(client, batch)
    assert not Message.objects.exists()


def test_test_needs_the_right_to_send(client: Client, batch: Batch) -> None:
    client.force_login(make_user("messaging.view_batch", "messaging.bulk_message"))
    assert 'id="test-form"' not in html(client.get(url(batch, "confirm")))
    assert post(client, batch).status_code == 403


def test_test_is_no_reason_for_a_warning_about_the_same_text(
    client: Client, manager: User, batch: Batch
) -> None:
    post(client, batch, recipient="139 1234 5601")
    assert "received the same text" not in html(client.get(url(batch, "confirm")))
    client.post(url(batch, "confirm"), {"when": "now", "seen": fingerprint(batch)})
    batch.refresh_from_db()
    assert batch.state == "sending"


def test_test_keeps_what_was_typed_about_the_start(
    client: Client, manager: User, batch: Batch
) -> None:
    typed = {"when": "later", "day": "2027-03-31", "clock": "18:00"}
    wrong = html(post(client, batch, recipient="12", **typed))
    sent = html(client.get(post(client, batch, **typed)["Location"]))
    for page in (wrong, sent):
        assert 'value="later" checked' in page
        assert 'value="2027-03-31"' in page
        assert 'value="18:00"' in page
        # The other form posts to its own address, whichever page this is.
        assert f'action="{url(batch, "confirm")}"' in page


def test_address_of_the_test_leads_to_the_confirm_page(
    client: Client, manager: User, batch: Batch
) -> None:
    assert client.get(url(batch, "test"))["Location"] == url(batch, "confirm")


# --- the time of the start ----------------------------------------------------


@pytest.mark.parametrize("typed", ["2027/3/31", "2027.03.31", "2027年3月31日", "2027-03-31"])
@pytest.mark.parametrize("hour", ["18:05", "18.05", "18：05", "1805"])
def test_date_and_time_are_read_as_people_write_them(
    client: Client, manager: User, batch: Batch, typed: str, hour: str
) -> None:
    form = {"when": "later", "day": typed, "clock": hour, "seen": fingerprint(batch)}
    errors = client.post(url(batch, "confirm"), form).context["form"].errors
    # Read, and found to be too far away.
    assert dict(errors) == {"day": ["Choose a time within 90 days."]}


def test_wrong_date_and_time_stay_beside_their_errors(
    client: Client, manager: User, batch: Batch
) -> None:
    form = {"when": "later", "day": "03/31/2027", "clock": "6 pm", "seen": fingerprint(batch)}
    page = html(client.post(url(batch, "confirm"), form))
    assert 'value="03/31/2027"' in page
    assert 'value="6 pm"' in page
    assert 'id="id_day_error"' in page
    assert 'id="id_clock_error"' in page


def test_time_that_is_not_used_is_not_checked(client: Client, manager: User, batch: Batch) -> None:
    form = {"when": "now", "day": "nonsense", "clock": "x", "seen": fingerprint(batch)}
    assert client.post(url(batch, "confirm"), form).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "sending"
