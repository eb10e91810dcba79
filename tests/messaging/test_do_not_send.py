"""Numbers on the do-not-send list receive nothing: typed, in a file, or already queued."""

from __future__ import annotations

from itertools import count

import pytest
from django.test import Client

from messaging import do_not_send
from messaging.models import DoNotSend, Message
from messaging.recipients import InvalidRecipient, recipient_for
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user
from tests.support.engine import run_rounds
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"
LIST = "/messaging/donotsend/"


def add_number(number: str = NUMBER) -> DoNotSend:
    return do_not_send.add(number, "asked us to stop", make_user())[0]


def test_listed_number_is_refused_with_the_reason() -> None:
    add_number()
    with pytest.raises(InvalidRecipient, match=r"do-not-send list \(.*, asked us to stop\)"):
        recipient_for(make_account(), "139 1234 5678")


def test_listing_a_number_cancels_its_pending_messages() -> None:
    message, other = make_message(), make_message(recipient="+8613700000001")
    add_number()
    message.refresh_from_db()
    other.refresh_from_db()
    assert (message.state, message.reason, other.state) == ("cancelled", "do_not_send", "queued")


@pytest.mark.django_db(transaction=True)
def test_message_to_a_listed_number_is_cancelled_at_the_claim(sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox))
    DoNotSend.objects.create(number=NUMBER, because="x", added_by=make_user())
    run_rounds()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("cancelled", "do_not_send")
    assert sandbox.book.count("haorui", "send") == 0


def test_number_listed_after_the_check_of_a_batch_is_cancelled() -> None:
    batch = make_batch(numbers(2))
    add_number("+8613900000001")
    start_batch(batch)
    assert list(Message.objects.order_by("batch_row").values_list("state", flat=True)) == [
        "queued",
        "cancelled",
    ]


def test_removed_entry_is_kept_and_can_be_added_again() -> None:
    entry = add_number()
    assert do_not_send.remove(entry, "changed their mind", make_user())
    assert not do_not_send.remove(entry, "again", make_user())
    recipient_for(make_account(), NUMBER)
    add_number()
    assert DoNotSend.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_concurrent_adds_make_one_entry() -> None:
    by = make_user()
    serial = count()
    made = at_once(lambda: do_not_send.add(NUMBER, f"reason {next(serial)}", by)[1], 3)
    assert sorted(made) == [False, False, True]


def test_numbers_are_added_in_every_notation(client: Client) -> None:
    client.force_login(make_staff("manager"))
    data = {"numbers": "139 1234 5678\n+8613700000001\n13912345678", "because": "They asked."}
    page = client.post(f"{LIST}add-numbers/", data, follow=True).content.decode()
    assert "2 numbers added to the list." in page
    assert "13912345678" not in page


def test_invalid_number_is_named(client: Client) -> None:
    client.force_login(make_staff("manager"))
    page = client.post(f"{LIST}add-numbers/", {"numbers": "12x", "because": "x"}).content.decode()
    assert "has a letter at position 3" in page


def test_removal_requires_a_reason_and_the_permission(client: Client) -> None:
    entry = add_number()
    address = f"{LIST}{entry.public_id}/remove/"
    client.force_login(make_staff("operator"))
    assert client.post(address, {"because": "x"}).status_code == 403
    client.force_login(make_staff("manager"))
    page = client.post(address, follow=True).content.decode()
    assert "choose a reason, or describe it in a few words" in page
    client.post(address, {"because": "They asked for it."})
    entry.refresh_from_db()
    assert entry.removed_because == "They asked for it."


def test_search_finds_only_whole_numbers_and_shows_none(client: Client) -> None:
    add_number()
    client.force_login(make_staff("viewer"))
    found = client.get(LIST, {"q": "139 1234 5678"})
    assert found.context["cl"].result_count == 1
    assert "13912345678" not in found.content.decode().replace("q=13912345678", "")
    assert client.get(LIST, {"q": "5678"}).context["cl"].result_count == 0
