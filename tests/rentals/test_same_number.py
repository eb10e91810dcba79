"""One number in two writings, and two running orders with one number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rentals.models import Order
from rentals.same_number import is_same_number, number_key, others_with_number
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented


@pytest.mark.parametrize(
    "other",
    [
        "+6281234567890",
        "6281234567890",
        "006281234567890",
        "+62 812-3456-7890",
        "+62 (0)812 3456 7890",
        "081234567890",
        "81234567890",
        "＋６２８１２３４５６７８９０",
        "（62）81234567890",
        "+62812****7890",
        "62812******90",
    ],
)
def test_number_is_the_same_in_every_writing(other: str) -> None:
    assert is_same_number("+6281234567890", other, "ID")
    assert is_same_number(other, "+6281234567890", "ID")


@pytest.mark.parametrize(
    "other",
    [
        "+6281234567891",
        "+6381234567890",
        "7890",
        "",
        "234567890",
        "+1 305 555 0123",
        "+62812****7891",
        "****7890",
        "+62****12",
    ],
)
def test_another_number_is_not_the_same(other: str) -> None:
    assert not is_same_number("+6281234567890", other, "ID")


@pytest.mark.parametrize(
    ("phone", "region", "key"),
    [
        ("13055550123", "US", "13055550123"),
        ("3055550123", "US", "13055550123"),
        ("13912345678", "CN", "8613912345678"),
        ("+8613912345678", "CN", "8613912345678"),
        ("07400123456", "GB", "447400123456"),
        ("12345", "ZZ", "12345"),
        ("", "ID", ""),
    ],
)
def test_number_without_country_code_belongs_to_the_region(
    phone: str, region: str, key: str
) -> None:
    assert number_key(phone, region) == key


# --- running orders ------------------------------------------------------------------------


def rented(phone: str, **fields: Any) -> Order:
    return make_rented(region="ID", phone=phone, **fields)


@pytest.mark.django_db
def test_two_running_orders_with_one_number_name_each_other() -> None:
    first, second = rented("+6281234567890"), rented("6281234567890")
    rented("+6281234567891")
    assert others_with_number(first) == [second]
    assert others_with_number(second) == [first]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["cancelled", "expired", "completed", "refused"])
def test_order_that_has_ended_shares_no_number(state: str) -> None:
    first, ended = rented("+6281234567890"), rented("+6281234567890", state=state)
    assert others_with_number(first) == []
    assert others_with_number(ended) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "shares"), [(5, True), (-5, False)])
def test_received_order_shares_its_number_until_it_ends(minutes: int, shares: bool) -> None:
    first = rented("+6281234567890")
    ends = timezone.now() + timedelta(minutes=minutes)
    received = rented("+6281234567890", state="received", expires_at=ends)
    assert others_with_number(first) == ([received] if shares else [])


@pytest.mark.django_db
def test_orders_of_two_accounts_may_share_a_number() -> None:
    first = make_rented(make_account(provider="gosms"), region="ID", phone="+6281234567890")
    second = make_rented(make_account(provider="gosms"), region="ID", phone="+6281234567890")
    assert others_with_number(first) == [second]


@pytest.mark.django_db
def test_both_pages_and_the_board_warn(admin_client: Client) -> None:
    first, second = rented("+6281234567890"), rented("6281234567890")
    for one, other in ((first, second), (second, first)):
        page = admin_client.get(reverse("admin:rentals_order_change", args=[one.public_id]))
        html = page.content.decode()
        assert "Another open order has this number, so" in html
        assert f"/{other.public_id}/" in html
    board = admin_client.get(reverse("admin:rentals_order_board"), {"scope": "team"})
    assert board.content.decode().count("Another open order has this number.") == 2
