"""Where an outcome is unknown, no button is filled: no choice is the right one by default."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.support.holds import begin_hold
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

ROLES: Final = ("operator", "manager")
FILLED: Final = re.compile(
    r"<(?:a|button)[^>]*\bbutton-primary\b[^>]*>.*?</(?:a|button)>", re.DOTALL
)


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def page_of(role: str, name: str, row: Model) -> str:
    url = reverse(f"admin:{name}_change", args=[row.public_id])  # type: ignore[attr-defined]
    answer = browser_of(member(role)).get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def filled_buttons(html: str) -> list[str]:
    found = FILLED.findall(html)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def change(row: Model, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def unknown_message() -> Message:
    message = make_message()
    now = timezone.now()
    change(message, state="unknown", reason="timed_out", handed_over_at=now, answered_at=now)
    return message


def test_unknown_message_has_no_filled_button(role: str) -> None:
    page = page_of(role, "messaging_message", unknown_message())
    assert filled_buttons(page) == []
    assert "Send another to this number" in page


def test_known_message_offers_another_one(role: str) -> None:
    message = make_message()
    change(message, state="delivered")
    assert filled_buttons(page_of(role, "messaging_message", message)) == [
        "Send another to this number"
    ]


def test_manager_is_told_to_ask_the_recipient_before_the_buttons() -> None:
    page = page_of("manager", "messaging_message", unknown_message())
    ask = page.index("Ask the recipient whether it arrived, then:")
    assert ask < page.index("Mark as sent…") < page.index("Send again…")


def test_operator_is_told_to_ask_the_recipient_and_who_decides() -> None:
    page = page_of("operator", "messaging_message", unknown_message())
    assert "Ask the recipient whether it arrived. A manager can then set the outcome." in page
    assert "Mark as sent…" not in page


def test_message_on_hold_has_no_filled_button(role: str) -> None:
    message = make_message()
    begin_hold()
    assert filled_buttons(page_of(role, "messaging_message", message)) == []


def test_unknown_order_has_no_filled_button() -> None:
    order = make_rented(state="unknown", provider_id="", phone="", reason="timed_out")
    assert filled_buttons(page_of("operator", "rentals_order", order)) == []
    page = page_of("manager", "rentals_order", order)
    assert filled_buttons(page) == []
    ask = page.index("Look for the order in the provider's own console, then:")
    assert ask < page.index("Mark as not placed…")


def test_code_that_may_not_have_been_sent_offers_no_filled_new_code(role: str) -> None:
    session = make_session()
    change(session.newest_code().message, state="unknown", reason="timed_out")
    change(session, state="send_unknown", sent_at=timezone.now())
    page = page_of(role, "otp_session", session)
    # A code that the customer reads out settles it, so checking is no wrong choice.
    assert filled_buttons(page) == ["Check code Enter"]
    ask = page.index("Ask the customer whether the SMS arrived, then:")
    assert ask < page.index("Send again despite a possible duplicate")


def test_ended_session_with_an_unknown_send_has_no_filled_button(role: str) -> None:
    session = make_session()
    change(session.newest_code().message, state="unknown", reason="timed_out")
    change(session, state="expired", ended_at=timezone.now())
    page = page_of(role, "otp_session", session)
    assert "Send a new code" in page
    assert filled_buttons(page) == []


def test_batch_with_unknown_outcomes_has_no_filled_button_and_links_to_them() -> None:
    batch = start_batch(make_batch(numbers(3)))
    first = batch.messages.order_by("pk").first()
    assert first is not None
    batch.messages.update(state="delivered")
    change(first, state="unknown")
    change(batch, state="finished", ended_at=timezone.now())
    page = page_of("manager", "messaging_batch", batch)
    assert filled_buttons(page) == []
    assert "It is not known whether 1 message was sent." in page
    change(first, state="delivered")
    assert "New batch" in page
