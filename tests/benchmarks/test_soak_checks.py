"""Each check of a soak run finds what it is for: a call too many, a row or a callback too few."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.soak import call_checks
from benchmarks.soak.past import Past
from benchmarks.soak.soak_book import SoakBook
from benchmarks.soak.staff import Form
from messaging.models import Message
from rentals.models import Order
from tests.factories.messages import make_message
from tests.factories.orders import make_rented

pytestmark = pytest.mark.django_db
RESTORED = Past(backed_up_at=100.0, restored_at=200.0)


class Book(SoakBook):
    """A book whose entries the test writes."""

    def __init__(self) -> None:
        super().__init__(remote=None)  # type: ignore[arg-type]

    def enter(self, provider: str, operation: str, **given: Any) -> None:
        entry = {
            "kind": "call",
            "provider": provider,
            "operation": operation,
            "account": "",
            "fields": {},
            "outcome": "",
            "message_id": "",
            "reference": "",
            "accepted": True,
            "fault": "",
            "at": 10.0,
        }
        self.record({**entry, **given})

    def enter_send(self, message: Message, at: float = 10.0) -> None:
        self.enter("haorui", "send", reference=message.reference, at=at)

    def enter_order(self, order: Order, at: float = 10.0) -> None:
        fields = {"project_code": order.project, "region": order.region}
        name, number = order.account.name, order.provider_id
        self.enter("gosms", "create_order", account=name, fields=fields, message_id=number, at=at)


@pytest.fixture
def book() -> Book:
    return Book()


def test_agreement_is_no_finding(book: Book) -> None:
    message, order = make_message(state="submitted"), make_rented()
    book.enter_send(message)
    book.enter_order(order)
    assert not list(call_checks.repeated_sends(book, None))
    assert not list(call_checks.wrong_messages(book, None))
    assert not list(call_checks.repeated_orders(book, None))
    assert not list(call_checks.repeated_orders(book, RESTORED))


def test_second_send_of_a_message_is_found(book: Book) -> None:
    message = make_message(state="unknown")
    book.enter_send(message)
    book.enter_send(message, at=11.0)
    (found,) = call_checks.repeated_sends(book, None)
    assert "was sent 2 times" in found


def test_send_that_no_row_explains_is_found(book: Book) -> None:
    message = make_message(state="submitted")
    book.enter_send(message)
    Message.objects.all().delete()
    (found,) = call_checks.wrong_messages(book, None)
    assert "no row has it" in found


def test_send_whose_row_a_restore_took_back_is_no_finding(book: Book) -> None:
    message = make_message(state="submitted")
    book.enter_send(message, at=150.0)
    Message.objects.all().delete()
    assert not list(call_checks.wrong_messages(book, RESTORED))


@pytest.mark.parametrize(("state", "times"), [("submitted", 0), ("not_sent", 1), ("cancelled", 1)])
def test_row_that_contradicts_the_book_is_found(book: Book, state: str, times: int) -> None:
    message = make_message(state=state)
    for _ in range(times):
        book.enter_send(message)
    (found,) = call_checks.wrong_messages(book, None)
    assert f"is {state}" in found


def test_message_left_in_flight_is_found(book: Book) -> None:
    make_message(state="sending")
    (found,) = call_checks.wrong_messages(book, None)
    assert "is sending" in found


@pytest.mark.parametrize("past", [None, RESTORED])
def test_number_rented_without_an_order_is_found(book: Book, past: Past | None) -> None:
    order = make_rented()
    book.enter_order(order)
    order.provider_id = "99999"
    book.enter_order(order)
    (found,) = call_checks.repeated_orders(book, past)
    assert "2 numbers were rented for 1 orders" in found


def test_number_rented_again_after_the_restore_is_found_unless_released(book: Book) -> None:
    order = make_rented()
    book.enter_order(order, at=150.0)
    order.provider_id = "99999"
    book.enter_order(order, at=250.0)
    (found,) = call_checks.repeated_orders(book, RESTORED)
    assert "2 numbers were rented for 1 orders" in found
    pair = f"{order.account.name} {order.project} {order.region}"
    released = Past(backed_up_at=100.0, restored_at=200.0, released={pair})
    assert not list(call_checks.repeated_orders(book, released))


def test_number_rented_right_after_the_restore_is_no_finding(book: Book) -> None:
    book.enter_order(make_rented(), at=201.0)
    assert not list(call_checks.repeated_orders(book, RESTORED))


def test_cancel_that_was_made_twice_is_found(book: Book) -> None:
    book.enter("gosms", "cancel_order", fields={"order_id": "7"})
    (found,) = call_checks.repeated_cancels(book, None)
    assert "was cancelled 1 times for 0 requests" in found


def test_check_that_was_made_twice_is_found(book: Book) -> None:
    for _ in range(2):
        book.enter("otpservice", "code", fields={"sid": "a", "code": "123456"}, outcome="FAIL")
    found = list(call_checks.wrong_checks(book, {"token": ("a", "123456")}))
    assert found == ["code 123456 of a was checked 2 times for 1 tries"]


def test_answered_form_without_a_row_is_found() -> None:
    message = make_message(form_token="kept")
    forms = [Form("send", "/", {}, "kept"), Form("send", "/", {}, "lost")]
    for form in forms:
        form.answered_at = 10.0
    assert message.form_token == "kept"
    (found,) = call_checks.lost_forms(forms, None)
    assert "has no row" in found
    forms[1].answered_at = 150.0
    assert not list(call_checks.lost_forms(forms, RESTORED))


def test_form_without_an_answer_needs_no_row() -> None:
    assert not list(call_checks.lost_forms([Form("send", "/", {}, "lost")], None))
