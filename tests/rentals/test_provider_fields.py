"""What answers state about an order: one value in two writings is one value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.gateway.vocabulary import OrderState, Rental
from rentals import apply_order_state, order_import
from rentals.models import FoundOrder, Order
from tests.factories.accounts import make_account
from tests.factories.orders import make_order, make_rented

pytestmark = pytest.mark.django_db

CREATED = datetime(2026, 11, 28, 18, 42, 36, tzinfo=UTC)


def answer(**fields: Any) -> Rental:
    values: dict[str, Any] = {
        "order_id": "12345",
        "state": OrderState.PENDING,
        "raw_state": "pending",
        "phone": "+6281234567890",
        "project": "whatsapp",
        "region": "ID",
        "price": None,
    }
    return Rental(**{**values, **fields})


def applied(order: Order, **fields: Any) -> Order:
    apply_order_state.apply(order.pk, answer(**fields), timezone.now(), from_lookup=True)
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"phone": "+6281234567890"}, {"phone": "6281234567890"}),
        ({"phone": "+6281234567890"}, {"phone": "081234567890"}),
        ({"phone": "+6281234567890"}, {"phone": "+62 812-3456-7890"}),
        ({"code": "123456"}, {"code": "123 456"}),
        ({"code": "123456"}, {"code": "１２３４５６"}),
        ({"code": "123456"}, {"code": "123-456 "}),
        ({"content": "Your code is 1"}, {"content": " Your code is 1\r\n"}),
        ({"created_at": CREATED}, {"created_at": CREATED + timedelta(milliseconds=400)}),
    ],
)
def test_one_value_in_two_writings_is_no_conflict(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    order = applied(applied(make_rented(provider_id="12345"), **first), **second)
    assert (order.conflict, order.differing) == (False, [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"code": "123456"}, {"code": "123457"}),
        ({"content": "a"}, {"content": "b"}),
        ({"phone": "+6281234567890"}, {"phone": "+6281234567891"}),
        ({"created_at": CREATED}, {"created_at": CREATED + timedelta(seconds=2)}),
    ],
)
def test_another_value_is_a_conflict(first: dict[str, Any], second: dict[str, Any]) -> None:
    order = applied(applied(make_rented(provider_id="12345"), **first), **second)
    assert order.conflict


def test_known_state_is_stored_in_our_word_and_an_unknown_one_as_written() -> None:
    order = make_rented(provider_id="12345")
    order = applied(order, state=OrderState.RECEIVED, raw_state="ＲＥＣＥＩＶＥＤ", code="1234")
    assert (order.state, order.provider_state) == ("received", "received")
    order = applied(order, state=OrderState.UNRECOGNISED, raw_state="Teleported")
    assert (order.state, order.provider_state) == ("received", "Teleported")


LOCAL = {"created_at": "2026-11-29 02:42:36", "expired_at": "2026-11-29 02:52:36"}


@pytest.mark.parametrize(
    "stated",
    [
        {"raw_times": LOCAL},
        {"created_at": CREATED, "expires_at": CREATED + timedelta(minutes=10)},
        {"expires_at": "in ten minutes"},
    ],
)
def test_order_ends_after_its_stated_lifetime(stated: dict[str, Any]) -> None:
    now = timezone.now()
    if stated.get("expires_at") == "in ten minutes":
        stated = {"expires_at": now + timedelta(minutes=10)}
    order = make_order(state="placing")
    apply_order_state.attach(order, answer(**stated), now, started_at=now)
    order.refresh_from_db()
    assert order.expires_at == now + timedelta(minutes=10)


def test_lifetime_that_is_stated_later_is_applied() -> None:
    now = timezone.now()
    order = make_order(state="placing", answered_at=now)
    apply_order_state.attach(order, answer(), now, started_at=now)
    order = applied(order, raw_times=LOCAL)
    assert order.expires_at == now + timedelta(minutes=10)


def test_found_order_keeps_its_lifetime_until_it_is_imported() -> None:
    account = make_account("gosms")
    order_import.import_page(account, [answer(order_id="77", raw_times=LOCAL)], timezone.now())
    order = order_import.import_order(FoundOrder.objects.get(), None)
    assert order is not None
    assert order.expires_at is not None
    assert abs(order.expires_at - order.created_at - timedelta(minutes=10)) < timedelta(seconds=5)
