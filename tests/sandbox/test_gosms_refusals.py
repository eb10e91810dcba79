"""What the practice GoSMS refuses, and its rate limits."""

from __future__ import annotations

import pytest

from sandbox.server import Sandbox

from .conftest import Ask, Rent


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/user/balance"), ("POST", "/order"), ("GET", "/order/1"), ("GET", "/user/orders")],
)
def test_it_refuses_an_unknown_key(gosms: Ask, method: str, path: str) -> None:
    response = gosms(method, path, key="ch_wrong")
    refused = (401, {"error": "未授权", "code": "UNAUTHORIZED"})
    assert (response.status_code, response.json()) == refused


def test_it_refuses_a_disabled_account_without_an_error_code(sandbox: Sandbox, gosms: Ask) -> None:
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
def test_it_refuses_an_order_with_an_error_code(
    gosms: Ask, body: object, status: int, code: str
) -> None:
    response = gosms("POST", "/order", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_it_refuses_what_a_prepaid_account_cannot_pay(
    sandbox: Sandbox, gosms: Ask, order: Rent
) -> None:
    sandbox.change_account("gosms", balance="0.40", billing_type="prepaid")
    assert order() == {"error": "余额不足", "code": "INSUFFICIENT_BALANCE"}


def test_it_lets_a_postpaid_account_use_its_credit(sandbox: Sandbox, order: Rent) -> None:
    sandbox.change_account("gosms", balance="0.00", credit_limit="0.50")
    assert order()["status"] == "pending"


def test_it_runs_out_of_numbers(sandbox: Sandbox, order: Rent) -> None:
    sandbox.change_settings("gosms", stock={"ID": 1})
    answers = [order(), order()]
    assert [answer.get("code") for answer in answers] == [None, "NO_AVAILABLE_NUMBER"]


def test_the_price_of_a_project_wins_over_that_of_its_region(sandbox: Sandbox, order: Rent) -> None:
    sandbox.change_settings("gosms", prices={"ID": "0.50", "telegram/ID": "0.75"})
    assert order("telegram")["price"] == 0.75


@pytest.mark.parametrize("number", ["99999", "abc", "１２３４５", "9" * 30])
def test_it_does_not_know_other_orders(gosms: Ask, number: str) -> None:
    response = gosms("GET", f"/order/{number}")
    assert (response.status_code, response.json()["code"]) == (404, "ORDER_NOT_FOUND")


def test_a_key_does_not_see_the_orders_of_another(
    sandbox: Sandbox, gosms: Ask, order: Rent
) -> None:
    sandbox.add_account("gosms", "second", "ch_second")
    order()
    assert gosms("GET", "/order/12345", key="ch_second").status_code == 404


def test_it_answers_the_eleventh_call_of_a_second_with_429(gosms: Ask) -> None:
    statuses = [gosms("GET", "/user/balance").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_a_429_has_no_error_code(sandbox: Sandbox, gosms: Ask) -> None:
    sandbox.change_settings("gosms", rate_per_second=1)
    gosms("GET", "/user/balance")
    assert gosms("GET", "/user/balance").json() == {"error": "请求过于频繁"}


def test_each_key_has_a_limit_of_its_own(sandbox: Sandbox, gosms: Ask) -> None:
    sandbox.change_settings("gosms", rate_per_second=1)
    sandbox.add_account("gosms", "second", "ch_second")
    gosms("GET", "/user/balance")
    assert gosms("GET", "/user/balance", key="ch_second").status_code == 200


def test_its_limits_can_be_switched_off(sandbox: Sandbox, gosms: Ask) -> None:
    sandbox.change_settings("gosms", rate_per_second=0, rate_per_minute=0)
    statuses = {gosms("GET", "/user/balance").status_code for _ in range(30)}
    assert statuses == {200}
