"""Refusals and rate limits of the simulated GoSMS."""

from __future__ import annotations

import pytest

from sandbox.server import Sandbox

from .conftest import Call, RentNumber


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/user/balance"), ("POST", "/order"), ("GET", "/order/1"), ("GET", "/user/orders")],
)
def test_unknown_key_is_refused(gosms: Call, method: str, path: str) -> None:
    response = gosms(method, path, key="ch_wrong")
    refused = (401, {"error": "未授权", "code": "UNAUTHORIZED"})
    assert (response.status_code, response.json()) == refused


def test_disabled_account_is_refused_without_an_error_code(sandbox: Sandbox, gosms: Call) -> None:
    sandbox.change_account("gosms", active=False)
    response = gosms("GET", "/user/balance")
    assert (response.status_code, response.json()) == (403, {"error": "账号被禁用"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "INVALID_PARAMS"),
        ([], 400, "INVALID_PARAMS"),
        ({"project_code": "whatsapp", "region": "Indonesia"}, 400, "INVALID_PARAMS"),
        ({"project_code": 5, "region": "ID"}, 400, "INVALID_PARAMS"),
        ({"project_code": "whatsapp", "region": "AQ"}, 503, "NO_AVAILABLE_NUMBER"),
        ({"project_code": "noprice", "region": "ID"}, 500, "PRICE_CALCULATION_ERROR"),
    ],
)
def test_invalid_order_is_refused_with_an_error_code(
    gosms: Call, body: object, status: int, code: str
) -> None:
    response = gosms("POST", "/order", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_order_beyond_a_prepaid_balance_is_refused(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.change_account("gosms", balance="0.40", billing_type="prepaid")
    assert rent_number() == {"error": "余额不足", "code": "INSUFFICIENT_BALANCE"}


def test_postpaid_account_can_use_its_credit(sandbox: Sandbox, rent_number: RentNumber) -> None:
    sandbox.change_account("gosms", balance="0.00", credit_limit="0.50")
    assert rent_number()["status"] == "pending"


def test_order_is_refused_without_stock(sandbox: Sandbox, rent_number: RentNumber) -> None:
    sandbox.change_settings("gosms", stock={"ID": 1})
    answers = [rent_number(), rent_number()]
    assert [answer.get("code") for answer in answers] == [None, "NO_AVAILABLE_NUMBER"]


def test_project_price_overrides_region_price(sandbox: Sandbox, rent_number: RentNumber) -> None:
    sandbox.change_settings("gosms", prices={"ID": "0.50", "telegram/ID": "0.75"})
    assert rent_number("telegram")["price"] == 0.75


@pytest.mark.parametrize("number", ["99999", "abc", "１２３４５", "9" * 30])
def test_unknown_order_is_not_found(gosms: Call, number: str) -> None:
    response = gosms("GET", f"/order/{number}")
    assert (response.status_code, response.json()["code"]) == (404, "ORDER_NOT_FOUND")


def test_key_cannot_see_orders_of_another_key(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    sandbox.add_account("gosms", "second", "ch_second")
    rent_number()
    assert gosms("GET", "/order/12345", key="ch_second").status_code == 404


def test_eleventh_call_of_a_second_gets_429(gosms: Call) -> None:
    statuses = [gosms("GET", "/user/balance").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_429_has_no_error_code(sandbox: Sandbox, gosms: Call) -> None:
    sandbox.change_settings("gosms", rate_per_second=1)
    gosms("GET", "/user/balance")
    assert gosms("GET", "/user/balance").json() == {"error": "请求过于频繁"}


def test_each_key_has_its_own_limit(sandbox: Sandbox, gosms: Call) -> None:
    sandbox.change_settings("gosms", rate_per_second=1)
    sandbox.add_account("gosms", "second", "ch_second")
    gosms("GET", "/user/balance")
    assert gosms("GET", "/user/balance", key="ch_second").status_code == 200


def test_limits_can_be_switched_off(sandbox: Sandbox, gosms: Call) -> None:
    sandbox.change_settings("gosms", rate_per_second=0, rate_per_minute=0)
    statuses = {gosms("GET", "/user/balance").status_code for _ in range(30)}
    assert statuses == {200}
