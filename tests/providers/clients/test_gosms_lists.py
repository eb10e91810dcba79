"""GoSMS's balance, profile and lists, by its document."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from providers.clients.gosms import GoSMS
from providers.gateway.errors import OutcomeUnknown
from providers.gateway.vocabulary import (
    Balance,
    OrderState,
    Profile,
    Reason,
    Rental,
    RentalPage,
    Transaction,
    TransactionPage,
)

from .fake_transport import Case, Failure, json_answer, open_client, parametrize_cases, raw_answer
from .samples import GOSMS_BALANCE, GOSMS_ORDERS, GOSMS_PROFILE, GOSMS_TRANSACTIONS

UNREADABLE = Failure(OutcomeUnknown, Reason.UNREADABLE)

BALANCE = Balance(Decimal("1000.50"), Decimal("50.00"), Decimal("950.50"), Decimal("5000.00"))
BALANCES = [
    Case("the document's sample", raw_answer(GOSMS_BALANCE), BALANCE),
    Case(
        "a balance below zero",
        json_answer({"balance": -3, "available_balance": "-3.5"}),
        Balance(Decimal(-3), None, Decimal("-3.5"), None),
    ),
    Case(
        "a binary fraction",
        raw_answer('{"balance":0.30000000000000004}'),
        Balance(Decimal("0.3000")),
    ),
    Case("no balance", json_answer({"frozen_balance": 1}), UNREADABLE),
    Case("a balance out of range", json_answer({"balance": 10**10}), UNREADABLE),
    Case("a boolean", json_answer({"balance": True}), UNREADABLE),
    Case(
        "an unreadable limit beside it",
        json_answer({"balance": 1, "credit_limit": "none"}),
        Balance(Decimal(1)),
    ),
]


@parametrize_cases(BALANCES)
def test_answer_with_a_balance(case: Case) -> None:
    case.check(GoSMS, lambda client: client.fetch_balance())


PROFILE = Profile(
    user_id="123",
    username="channel_demo",
    billing_type="postpaid",
    is_active=True,
    balance=replace(BALANCE, available=None),
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
)
PROFILES = [
    Case("the document's sample", raw_answer(GOSMS_PROFILE), PROFILE),
    Case(
        "a state that is not a boolean",
        json_answer({**json.loads(GOSMS_PROFILE), "is_active": "yes"}),
        replace(PROFILE, is_active=None),
    ),
    Case(
        "a billing type that is longer than its column",
        json_answer({**json.loads(GOSMS_PROFILE), "billing_type": "x" * 33}),
        replace(PROFILE, billing_type="x" * 31 + "…"),
    ),
    Case("no balance", json_answer({"user_id": 123}), UNREADABLE),
]


@parametrize_cases(PROFILES)
def test_answer_with_a_profile(case: Case) -> None:
    case.check(GoSMS, lambda client: client.fetch_profile())


ORDER = Rental(
    order_id="12345",
    state=OrderState.COMPLETED,
    raw_state="completed",
    phone="+6281234567890",
    project="whatsapp",
    region="ID",
    price=Decimal("0.50"),
    code="123456",
    created_at=datetime(2025, 12, 3, 10, 50, tzinfo=UTC),
    received_at=datetime(2025, 12, 3, 10, 55, tzinfo=UTC),
)
ROW = json.loads(GOSMS_ORDERS)["orders"][0]
ORDERS = [
    Case("the document's sample", raw_answer(GOSMS_ORDERS), RentalPage((ORDER,), 156, 1, 20)),
    Case(
        "unreadable rows do not lose the others",
        json_answer({"orders": [None, ROW, {}, 5, {**ROW, "order_id": True}], "total": 5}),
        RentalPage((ORDER,), 5, 1, 20, unreadable=4),
    ),
    Case(
        "a repeated row",
        json_answer({"orders": [ROW, ROW], "total": 2}),
        RentalPage((ORDER, ORDER), 2, 1, 20),
    ),
    Case(
        "a page beyond the end",
        json_answer({"orders": [], "total": 156, "page": 99, "page_size": 50}),
        RentalPage((), 156, 99, 50),
    ),
    Case(
        "null for an empty list",
        json_answer({"orders": None, "total": 0, "page": 1, "page_size": 20}),
        RentalPage((), 0, 1, 20),
    ),
    Case("no total", json_answer({"orders": []}), UNREADABLE),
    Case("a total below zero", json_answer({"orders": [], "total": -1}), UNREADABLE),
    Case("a total that is text", json_answer({"orders": [], "total": "15.6"}), UNREADABLE),
    Case(
        "a total that is the text of a number",
        json_answer({"orders": [], "total": " 156 "}),
        RentalPage((), 156, 1, 20),
    ),
    Case("no list", json_answer({"total": 0}), UNREADABLE),
    Case("an object instead of a list", json_answer({"orders": {}, "total": 0}), UNREADABLE),
]


@parametrize_cases(ORDERS)
def test_answer_with_a_list_of_orders(case: Case) -> None:
    case.check(GoSMS, lambda client: client.list_orders(page=1, page_size=20))


DEPOSIT = Transaction(
    transaction_id="1001",
    type="Deposit",
    amount=Decimal("100.00"),
    balance_after=Decimal("1100.50"),
    frozen_after=None,
    description="充值",
    order_id="",
    created_at=datetime(2025, 12, 3, 10, 0, tzinfo=UTC),
)
HOLD = Transaction(
    transaction_id="1002",
    type="Hold",
    amount=Decimal("0.50"),
    balance_after=Decimal("1100.00"),
    frozen_after=Decimal("0.50"),
    description="订单冻结",
    order_id="12345",
    created_at=datetime(2025, 12, 3, 10, 50, tzinfo=UTC),
)
ENTRY = json.loads(GOSMS_TRANSACTIONS)["transactions"][0]
TRANSACTIONS = [
    Case(
        "the document's sample",
        raw_answer(GOSMS_TRANSACTIONS),
        TransactionPage((DEPOSIT, HOLD), 156, 1, 20),
    ),
    Case(
        "an unknown type, and a time without a zone",
        json_answer(
            {
                "transactions": [{**ENTRY, "type": "Bonus", "created_at": "2025-12-03T10:00:00"}],
                "total": 1,
            }
        ),
        TransactionPage(
            (
                replace(
                    DEPOSIT,
                    type="Bonus",
                    created_at=None,
                    raw_created_at="2025-12-03T10:00:00",
                ),
            ),
            1,
            1,
            20,
        ),
    ),
    Case(
        "rows without an id or an amount",
        json_answer(
            {"transactions": [{**ENTRY, "id": None}, {**ENTRY, "amount": "?"}, ENTRY], "total": 3}
        ),
        TransactionPage((DEPOSIT,), 3, 1, 20, unreadable=2),
    ),
]


@parametrize_cases(TRANSACTIONS)
def test_answer_with_a_list_of_transactions(case: Case) -> None:
    case.check(GoSMS, lambda client: client.list_transactions(page=1, page_size=20))


@pytest.mark.parametrize(("page", "page_size"), [(0, 20), (-1, 20), (1, 0), (1, 101)])
def test_page_outside_the_documented_range_is_not_requested(page: int, page_size: int) -> None:
    client, transport = open_client(GoSMS)
    for call in (client.list_orders, client.list_transactions):
        with pytest.raises(ValueError, match="at most 100"):
            call(page=page, page_size=page_size)
    assert transport.calls == []
