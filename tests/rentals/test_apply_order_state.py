"""What an answer changes, and what it never does."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core.fields import UnreadableSecret
from core.secrets import Secret
from rentals import apply_order_state, provider_fields
from rentals.models import Order
from tests.factories.orders import make_rented

from .test_poll_intervals import said

pytestmark = pytest.mark.django_db


def told(order: Order, state: str, **fields: Any) -> Order:
    apply_order_state.apply(order.pk, said(order, state, **fields), timezone.now(), whole=True)
    order.refresh_from_db()
    return order


def with_sms(**fields: Any) -> Order:
    return make_rented(
        **{
            "state": "received",
            "code": Secret("482913"),
            "content": Secret("Your code is 482913"),
            "sms_at": timezone.now(),
            **fields,
        }
    )


def test_a_later_answer_without_the_code_takes_nothing_away() -> None:
    order = told(with_sms(), "completed", code=None, content=None)
    assert (order.state, order.code.reveal()) == ("completed", "482913")
    assert order.content.reveal() == "Your code is 482913"
    assert not order.conflict


def test_a_code_that_differs_is_kept_beside_the_first_and_flagged() -> None:
    order = told(with_sms(), "completed", code="111111")
    assert order.code.reveal() == "482913"
    assert order.conflict
    (kept,) = json.loads(order.differing_texts.reveal())
    assert (kept["field"], kept["value"]) == ("code", "111111")
    assert "111111" not in json.dumps(order.differing)


def test_the_same_difference_is_kept_once() -> None:
    order = with_sms()
    for _ in range(3):
        told(order, "completed", code="111111")
    assert len(json.loads(order.differing_texts.reveal())) == 1


def test_a_time_that_differs_does_not_move_the_one_that_stands() -> None:
    first = timezone.now() - timedelta(minutes=1)
    order = told(with_sms(received_there=first), "received", received_at=timezone.now())
    assert order.received_there == first
    assert order.conflict


def test_a_price_that_differs_is_flagged() -> None:
    order = told(make_rented(), "pending", price=Decimal("0.70"))
    assert (order.price, order.conflict) == (Decimal("0.50"), True)


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_an_sms_that_came_although_the_order_has_ended_is_taken_in(state: str) -> None:
    order = told(make_rented(state=state, next_poll_at=None), "received", code="482913")
    assert (order.state, order.code.reveal()) == ("received", "482913")


def test_an_end_after_the_sms_is_a_contradiction_and_changes_nothing() -> None:
    order = told(with_sms(), "cancelled")
    assert (order.state, order.conflict) == ("received", True)


def test_a_code_of_the_list_is_stored_at_once_and_its_text_asked_for() -> None:
    order = make_rented()
    apply_order_state.apply(
        order.pk, said(order, "received", code="482913"), timezone.now(), whole=False
    )
    order.refresh_from_db()
    assert (order.state, order.code.reveal()) == ("received", "482913")
    assert order.next_poll_at is not None


def test_neither_code_nor_text_stand_readable_in_the_table() -> None:
    from django.db import connection

    order = with_sms()
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, content FROM rentals_order WHERE id = %s", [order.pk])
        assert "482913" not in "".join(cursor.fetchone())


@pytest.mark.parametrize(
    ("created", "expired"),
    [(None, None), ("later", "earlier"), ("now", "year 9999")],
    ids=["no times", "ends before it begins", "never ends"],
)
def test_a_time_that_cannot_be_the_end_does_not_bind_us(created: str, expired: str) -> None:
    from rentals import poll_intervals

    now = timezone.now()
    times = {
        "later": now + timedelta(hours=1),
        "earlier": now,
        "now": now,
        "year 9999": now + timedelta(days=3000),
    }
    order = Order(created_there=times.get(created), expires_there=times.get(expired))
    assert poll_intervals.end_of(order, now) == now + poll_intervals.LIFETIME


def test_a_clock_that_is_ten_minutes_ahead_does_not_shorten_the_wait() -> None:
    from rentals import poll_intervals

    now = timezone.now()
    ahead = now + timedelta(minutes=10)
    order = Order(created_there=ahead, expires_there=ahead + timedelta(minutes=10))
    assert poll_intervals.end_of(order, now) == now + timedelta(minutes=10)


# --- answers about another number, and answers that come in parts -----------------


def test_nothing_is_taken_over_from_an_answer_about_another_number() -> None:
    order = told(make_rented(), "received", phone="+6289999999999", code="111111")
    assert (order.state, order.code, order.conflict) == ("pending", None, True)
    assert order.phone == "+6281234567890"
    assert [one["value"] for one in provider_fields.kept_beside(order)] == ["111111"]
    assert order.next_poll_at is not None


@pytest.mark.parametrize("written", ["6281234567890", "+62 812-3456-7890", "081234567890", ""])
def test_another_way_of_writing_is_no_other_number(written: str) -> None:
    order = told(make_rented(), "received", phone=written, code="482913")
    assert (order.state, order.code.reveal()) == ("received", "482913")


def test_an_sms_whose_text_is_not_there_yet_is_asked_for_until_the_end() -> None:
    order = told(make_rented(), "received")
    assert order.next_poll_at is not None
    order = told(order, "received", code="482913", content="Your code is 482913")
    assert (order.code.reveal(), order.next_poll_at) == ("482913", None)
    over = told(make_rented(expires_at=timezone.now()), "received")
    assert over.next_poll_at is None


def test_a_code_that_the_list_brings_later_has_its_text_asked_for() -> None:
    order = make_rented(state="received", next_poll_at=None, sms_at=None)
    apply_order_state.apply(
        order.pk, said(order, "received", code="482913"), timezone.now(), whole=False
    )
    order.refresh_from_db()
    assert order.next_poll_at is not None


def test_a_code_that_no_key_opens_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: Secret) -> str:
        raise UnreadableSecret

    order = with_sms()
    monkeypatch.setattr(Secret, "reveal", unreadable)
    apply_order_state.apply(
        order.pk, said(order, "completed", code="1"), timezone.now(), whole=True
    )
    assert Order.objects.filter(pk=order.pk, state="completed", conflict=False).exists()
