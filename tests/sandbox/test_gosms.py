"""The simulated GoSMS against its document."""

from __future__ import annotations

from datetime import datetime

import pytest

from sandbox.server import Sandbox

from .conftest import Call, RentNumber


def test_order_returns_a_number(rent_number: RentNumber) -> None:
    answer = rent_number()
    made, expired = (answer.pop(name) for name in ("created_at", "expired_at"))
    lifetime = datetime.fromisoformat(expired) - datetime.fromisoformat(made)
    assert lifetime.total_seconds() == pytest.approx(600, abs=1)
    assert answer == {
        "order_id": 12345,
        "phone": "+62812000012345",
        "project_code": "whatsapp",
        "region": "ID",
        "price": 0.50,
        "status": "pending",
    }


def test_times_are_utc_with_a_z(rent_number: RentNumber) -> None:
    assert rent_number()["created_at"][-1] == "Z"


def test_amounts_keep_their_decimals(gosms: Call) -> None:
    assert gosms("GET", "/user/balance").text == (
        '{"balance": 1000.50, "frozen_balance": 0.00, '
        '"available_balance": 1000.50, "credit_limit": 5000.00}'
    )


def test_pending_order_has_no_code_and_no_received_at(gosms: Call, rent_number: RentNumber) -> None:
    placed = rent_number()
    answer = gosms("GET", "/order/12345").json()
    assert answer == {**placed, "code": None, "content": None}


def test_sms_arrives_automatically(sandbox: Sandbox, gosms: Call, rent_number: RentNumber) -> None:
    sandbox.change_settings("gosms", sms_delay=0.0)
    rent_number()
    answer = gosms("GET", "/order/12345").json()
    assert answer["content"] == f"Your WhatsApp code is {answer['code']}"


def test_order_with_an_sms_has_received_at(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    rent_number()
    sandbox.deliver_sms(12345, "G-123456 is your code")
    answer = gosms("GET", "/order/12345").json()
    assert (answer["status"], answer["code"], "received_at" in answer) == (
        "received",
        "123456",
        True,
    )


def test_sms_can_have_no_code(sandbox: Sandbox, gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    sandbox.deliver_sms(12345, "Hello")
    assert gosms("GET", "/order/12345").json()["code"] is None


def test_silent_project_receives_no_sms(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings("gosms", sms_delay=0.0)
    rent_number("nosms")
    assert gosms("GET", "/order/12345").json()["status"] == "pending"


def test_expired_order_is_refunded(sandbox: Sandbox, gosms: Call, rent_number: RentNumber) -> None:
    sandbox.change_settings("gosms", lifetime=0.0)
    rent_number()
    states = (gosms("GET", "/order/12345").json()["status"], balances(gosms))
    assert states == ("expired", (1000.50, 0.0, 1000.50))


def test_sms_can_arrive_after_expiry(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings("gosms", lifetime=0.0)
    rent_number()
    sandbox.deliver_sms(12345, "late 4711")
    assert gosms("GET", "/order/12345").json()["status"] == "received"


def balances(gosms: Call) -> tuple[float, ...]:
    answer = gosms("GET", "/user/balance").json()
    names = ("balance", "frozen_balance", "available_balance")
    return tuple(answer[name] for name in names)


def test_order_holds_its_price(gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    assert balances(gosms) == (1000.0, 0.5, 999.5)


def test_cancelled_order_returns_its_price(gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    answer = gosms("POST", "/order/12345/cancel").json()
    assert answer == {"message": "订单已取消,金额已退回", "refund_amount": 0.5}


def test_order_with_an_sms_cannot_be_cancelled(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    rent_number()
    sandbox.deliver_sms(12345, "4711")
    response = gosms("POST", "/order/12345/cancel")
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMS")


def test_expired_order_cannot_be_cancelled(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings("gosms", lifetime=0.0)
    rent_number()
    assert gosms("POST", "/order/12345/cancel").json()["code"] == "ORDER_EXPIRED"


def test_transactions_match_the_document(gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    answer = gosms("GET", "/user/transactions").json()
    for row in answer["transactions"]:
        row.pop("created_at")
    hold = {
        "id": 1002,
        "type": "Hold",
        "amount": 0.5,
        "balance_snapshot": 1000.0,
        "frozen_balance_snapshot": 0.5,
        "description": "订单冻结",
        "order_id": 12345,
    }
    deposit = {
        "id": 1001,
        "type": "Deposit",
        "amount": 1000.5,
        "balance_snapshot": 1000.5,
        "description": "充值",
    }
    rows = {"transactions": [hold, deposit], "total": 2, "page": 1, "page_size": 20}
    assert answer == rows


def transaction_types(gosms: Call) -> list[str]:
    rows = gosms("GET", "/user/transactions").json()["transactions"]
    return [row["type"] for row in rows]


def test_completed_order_releases_its_hold(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings("gosms", sms_delay=0.0, complete_delay=0.0)
    rent_number()
    assert transaction_types(gosms) == ["Release", "Hold", "Deposit"]


def test_cancelled_order_has_a_refund_transaction(gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    gosms("POST", "/order/12345/cancel")
    assert transaction_types(gosms) == ["Refund", "Hold", "Deposit"]


def test_list_omits_content_and_expiry(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    rent_number()
    sandbox.deliver_sms(12345, "4711")
    assert list(gosms("GET", "/user/orders").json()["orders"][0]) == [
        "order_id",
        "phone",
        "project_code",
        "region",
        "status",
        "price",
        "code",
        "created_at",
        "received_at",
    ]


def test_list_is_paginated(gosms: Call, rent_number: RentNumber) -> None:
    for _ in range(5):
        rent_number()
    answer = gosms("GET", "/user/orders?page=2&page_size=2").json()
    numbers = [row["order_id"] for row in answer["orders"]]
    rest = (answer["total"], answer["page"], answer["page_size"])
    assert (numbers, rest) == ([12347, 12346], (5, 2, 2))


def test_page_has_100_rows_at_most(gosms: Call) -> None:
    assert gosms("GET", "/user/orders?page_size=500").json()["page_size"] == 100


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=-1", "status=expired"])
def test_list_refuses_invalid_parameters(gosms: Call, query: str) -> None:
    response = gosms("GET", f"/user/orders?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_PARAMS")


def test_list_filters_by_status(gosms: Call, rent_number: RentNumber) -> None:
    rent_number()
    rent_number()
    gosms("POST", "/order/12345/cancel")
    rows = gosms("GET", "/user/orders?status=pending").json()["orders"]
    assert [row["order_id"] for row in rows] == [12346]


def test_list_can_begin_with_the_oldest(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings("gosms", list_order="oldest")
    rent_number()
    rent_number()
    rows = gosms("GET", "/user/orders").json()["orders"]
    assert [row["order_id"] for row in rows] == [12345, 12346]


def test_profile_has_the_fields_of_the_document(gosms: Call) -> None:
    assert gosms("GET", "/user/profile").json() == {
        "user_id": 123,
        "username": "channel_demo",
        "email": "demo@example.com",
        "balance": 1000.5,
        "frozen_balance": 0.0,
        "credit_limit": 5000.0,
        "billing_type": "postpaid",
        "is_active": True,
        "created_at": "2025-01-01T00:00:00Z",
    }


def test_clock_can_run_ahead(sandbox: Sandbox, rent_number: RentNumber) -> None:
    sandbox.change_settings("gosms", clock_skew=600)
    ahead = datetime.fromisoformat(rent_number()["created_at"]).timestamp()
    assert ahead - sandbox.book.entries("gosms")[0].at == pytest.approx(600, abs=2)


def test_completed_order_can_hide_its_code(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_settings(
        "gosms", sms_delay=0.0, complete_delay=0.0, hide_code_when_completed=True
    )
    rent_number()
    answer = gosms("GET", "/order/12345").json()
    assert (answer["status"], answer["code"]) == ("completed", None)
