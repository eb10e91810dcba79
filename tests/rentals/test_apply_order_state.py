"""What a provider's answer changes in an order, and what it never changes."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core.fields import UnreadableSecret
from core.secrets import Secret
from rentals import apply_order_state, order_import, provider_fields
from rentals.models import Order
from tests.factories.orders import make_rented

from .test_poll_intervals import make_rental

pytestmark = pytest.mark.django_db


def apply_answer(order: Order, state: str, **fields: Any) -> Order:
    apply_order_state.apply(
        order.pk, make_rental(order, state, **fields), timezone.now(), from_lookup=True
    )
    order.refresh_from_db()
    return order


def make_received(**fields: Any) -> Order:
    return make_rented(
        **{
            "state": "received",
            "code": Secret("482913"),
            "content": Secret("Your code is 482913"),
            "sms_at": timezone.now(),
            **fields,
        }
    )


def test_later_answer_without_code_removes_nothing() -> None:
    order = apply_answer(make_received(), "completed", code=None, content=None)
    assert (order.state, order.code.reveal()) == ("completed", "482913")
    assert order.content.reveal() == "Your code is 482913"
    assert not order.conflict


def test_differing_code_is_kept_beside_the_first_and_flagged() -> None:
    order = apply_answer(make_received(), "completed", code="111111")
    assert order.code.reveal() == "482913"
    assert order.conflict
    (kept,) = json.loads(order.differing_texts.reveal())
    assert (kept["field"], kept["value"]) == ("code", "111111")
    assert "111111" not in json.dumps(order.differing)


def test_repeated_difference_is_kept_once() -> None:
    order = make_received()
    for _ in range(3):
        apply_answer(order, "completed", code="111111")
    assert len(json.loads(order.differing_texts.reveal())) == 1


def test_code_beside_the_masked_number_of_the_order_is_taken() -> None:
    order = apply_answer(
        make_rented(phone="+6281234567890"), "received", phone="+62812****7890", code="482913"
    )
    assert (order.state, order.code.reveal(), order.conflict) == ("received", "482913", False)
    assert order.phone == "+6281234567890"


@pytest.mark.parametrize(("code", "differs"), [("111111", True), ("482-913", False)])
def test_code_of_a_second_sms_is_seen_in_the_list(code: str, differs: bool) -> None:
    order = make_received(provider_state="received")
    listed = make_rental(order, "received", code=code, phone=order.phone, price=order.price)
    order_import.import_page(order.account, [listed], timezone.now())
    order.refresh_from_db()
    assert order.conflict is differs
    assert bool(order.differing_texts) is differs


def test_differing_time_does_not_replace_the_first() -> None:
    first = timezone.now() - timedelta(minutes=1)
    order = apply_answer(
        make_received(received_there=first), "received", received_at=timezone.now()
    )
    assert order.received_there == first
    assert order.conflict


def test_differing_price_is_flagged() -> None:
    order = apply_answer(make_rented(), "pending", price=Decimal("0.70"))
    assert (order.price, order.conflict) == (Decimal("0.50"), True)


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_sms_after_the_end_of_the_order_is_accepted(state: str) -> None:
    order = apply_answer(make_rented(state=state, next_poll_at=None), "received", code="482913")
    assert (order.state, order.code.reveal()) == ("received", "482913")


def test_cancelled_after_sms_is_a_conflict_and_changes_nothing() -> None:
    order = apply_answer(make_received(), "cancelled")
    assert (order.state, order.conflict) == ("received", True)


def test_code_from_the_list_is_stored_and_its_text_scheduled() -> None:
    order = make_rented()
    apply_order_state.apply(
        order.pk, make_rental(order, "received", code="482913"), timezone.now(), from_lookup=False
    )
    order.refresh_from_db()
    assert (order.state, order.code.reveal()) == ("received", "482913")
    assert order.next_poll_at is not None


def test_code_and_text_are_encrypted_in_the_table() -> None:
    from django.db import connection

    order = make_received()
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, content FROM rentals_order WHERE id = %s", [order.pk])
        assert "482913" not in "".join(cursor.fetchone())


@pytest.mark.parametrize(
    ("created", "expired"),
    [(None, None), ("later", "earlier"), ("now", "year 9999")],
    ids=["no times", "ends before it begins", "never ends"],
)
def test_implausible_end_time_falls_back_to_default_lifetime(created: str, expired: str) -> None:
    from rentals import poll_intervals

    now = timezone.now()
    times = {
        "later": now + timedelta(hours=1),
        "earlier": now,
        "now": now,
        "year 9999": now + timedelta(days=3000),
    }
    order = Order(created_there=times.get(created), expires_there=times.get(expired))
    assert poll_intervals.end_of(order, now) == now + poll_intervals.DEFAULT_LIFETIME


def test_skewed_provider_clock_does_not_shorten_the_lifetime() -> None:
    from rentals import poll_intervals

    now = timezone.now()
    ahead = now + timedelta(minutes=10)
    order = Order(created_there=ahead, expires_there=ahead + timedelta(minutes=10))
    assert poll_intervals.end_of(order, now) == now + timedelta(minutes=10)


# --- answers about another number, and answers that come in parts -----------------


def test_answer_about_another_number_is_only_kept_beside() -> None:
    order = apply_answer(make_rented(), "received", phone="+6289999999999", code="111111")
    assert (order.state, order.code, order.conflict) == ("pending", None, True)
    assert order.phone == "+6281234567890"
    assert [one["value"] for one in provider_fields.conflicting_texts(order)] == ["111111"]
    assert order.next_poll_at is not None


@pytest.mark.parametrize("written", ["6281234567890", "+62 812-3456-7890", "081234567890", ""])
def test_other_spelling_counts_as_the_same_number(written: str) -> None:
    order = apply_answer(make_rented(), "received", phone=written, code="482913")
    assert (order.state, order.code.reveal()) == ("received", "482913")


def test_received_without_text_is_polled_until_the_end() -> None:
    order = apply_answer(make_rented(), "received")
    assert order.next_poll_at is not None
    order = apply_answer(order, "received", code="482913", content="Your code is 482913")
    assert (order.code.reveal(), order.next_poll_at) == ("482913", None)
    ended = apply_answer(make_rented(expires_at=timezone.now()), "received")
    assert ended.next_poll_at is None


def test_code_that_arrives_later_by_list_has_its_text_scheduled() -> None:
    order = make_rented(state="received", next_poll_at=None, sms_at=None)
    apply_order_state.apply(
        order.pk, make_rental(order, "received", code="482913"), timezone.now(), from_lookup=False
    )
    order.refresh_from_db()
    assert order.next_poll_at is not None


def test_undecryptable_code_does_not_stop_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: Secret) -> str:
        raise UnreadableSecret

    order = make_received()
    monkeypatch.setattr(Secret, "reveal", unreadable)
    apply_order_state.apply(
        order.pk, make_rental(order, "completed", code="1"), timezone.now(), from_lookup=True
    )
    assert Order.objects.filter(pk=order.pk, state="completed", conflict=False).exists()
