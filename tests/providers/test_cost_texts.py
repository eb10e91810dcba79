"""What is said beside a paid button: the cost, and what the balance pays for after it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from providers.models import Account, BalanceReading
from providers.presentation.cost_texts import cost_line
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db


def account_with(price: str | None, balance: str | None) -> Account:
    account = make_account("haosms", price_per_segment=price and Decimal(price))
    if balance is not None:
        BalanceReading.objects.create(
            account=account, read_at=timezone.now(), available=Decimal(balance)
        )
    return account


def line(account: Account, segments: int, role: str = "operator") -> str:
    return str(cost_line(account, segments, make_staff(role)))


def test_cost_and_what_is_left_after_it() -> None:
    assert line(account_with("0.04", "120.50"), 2) == "About 0.08 · after this about 3,010 SMS left"


def test_nothing_is_said_of_an_unknown_balance() -> None:
    assert line(account_with("0.04", None), 2) == "About 0.08"


def test_cost_above_the_balance_is_said() -> None:
    assert "more than the balance" in line(account_with("0.04", "0.07"), 2)
    assert "about 0 SMS left" in line(account_with("0.04", "0.08"), 2)


def test_missing_price_is_said_calmly_with_a_link_for_those_who_may_set_it() -> None:
    account = account_with(None, "5")
    assert "<a " not in line(account, 1)
    assert "No price is set" in line(account, 1)
    assert f"/providers/account/{account.public_id}/change/" in line(account, 1, "manager")
