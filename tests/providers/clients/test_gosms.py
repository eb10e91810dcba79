"""GoSMS, by its document (GoSMS API 文档, 2025-12-03): orders, and the request of every call."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.clients import gosms
from providers.clients.gosms import GoSMS
from providers.clients.gosms_rows import ORDER_STATES
from providers.gateway.call import Operation, Request
from providers.gateway.client import CannotTake
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.vocabulary import Cancellation, OrderState, Reason, Rental

from .fake_transport import (
    Case,
    Failure,
    credential_of,
    json_answer,
    open_client,
    parametrize_cases,
    raw_answer,
)
from .samples import CALLS, GOSMS_CANCELLED, GOSMS_PENDING, GOSMS_PLACED, GOSMS_RECEIVED, SAMPLES

HEADERS = {"Authorization": f"Bearer {credential_of('api_key')}"}
PENDING = Rental(
    order_id="12345",
    state=OrderState.PENDING,
    raw_state="pending",
    phone="+6281234567890",
    project="whatsapp",
    region="ID",
    price=Decimal("0.50"),
    created_at=datetime(2025, 12, 3, 10, 50, tzinfo=UTC),
    expires_at=datetime(2025, 12, 3, 11, 0, tzinfo=UTC),
)
RECEIVED = replace(
    PENDING,
    state=OrderState.RECEIVED,
    raw_state="received",
    code="123456",
    content="Your WhatsApp code is 123456",
    received_at=datetime(2025, 12, 3, 10, 55, tzinfo=UTC),
)


def order(**changes: object) -> dict[str, object]:
    return {**json.loads(GOSMS_PENDING), **changes}


PLACED = [
    Case("the document's sample", raw_answer(GOSMS_PLACED), PENDING),
    Case(
        "another app and country than requested",
        json_answer(order(project_code="telegram", region="GB")),
        replace(
            PENDING,
            project="telegram",
            region="GB",
            warnings=("other_project", "other_region"),
        ),
    ),
    Case(
        "no price",
        json_answer({key: value for key, value in order().items() if key != "price"}),
        replace(PENDING, price=None),
    ),
    Case(
        "no phone",
        json_answer(order(phone="")),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "no order id",
        json_answer(order(order_id=None)),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "an order id that changes the path",
        json_answer(order(order_id="../user")),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "no state: the number is kept",
        json_answer(order(status=None)),
        replace(PENDING, state=OrderState.UNRECOGNISED, raw_state=""),
    ),
]


@parametrize_cases(PLACED)
def test_answer_to_placing_an_order(case: Case) -> None:
    case.check(GoSMS, lambda client: client.place_order("whatsapp", "ID"))


FETCHED = [
    Case("the document's sample while waiting", raw_answer(GOSMS_PENDING), PENDING),
    Case("the document's sample with an SMS", raw_answer(GOSMS_RECEIVED), RECEIVED),
    Case("an id that is text", json_answer(order(order_id="12345")), PENDING),
    *(
        Case(
            f"state {word}",
            json_answer(order(status=word)),
            replace(PENDING, state=state, raw_state=word),
        )
        for word, state in ORDER_STATES.items()
    ),
    Case(
        "an unknown state is kept unchanged",
        json_answer(order(status="Released", code="77")),
        replace(PENDING, state=OrderState.UNRECOGNISED, raw_state="Released", code="77"),
    ),
    Case(
        "received without a code",
        json_answer(order(status="received", content="hello")),
        replace(PENDING, state=OrderState.RECEIVED, raw_state="received", content="hello"),
    ),
    Case("an empty code", json_answer(order(code="", content="")), PENDING),
    Case("a code that is a number", json_answer(order(code=12345)), replace(PENDING, code="12345")),
    Case(
        "a long text with markup is kept whole",
        json_answer(order(content="<b>http://x.example</b>" * 500)),
        replace(PENDING, content="<b>http://x.example</b>" * 500),
    ),
    Case(
        "a time with an offset",
        json_answer(order(expired_at="2025-12-03T19:00:00.123456789+08:00")),
        replace(PENDING, expires_at=datetime(2025, 12, 3, 11, 0, 0, 123456, tzinfo=UTC)),
    ),
    Case("no time", json_answer(order(expired_at=None)), replace(PENDING, expires_at=None)),
    *(
        Case(
            f"the time {odd}",
            json_answer(order(expired_at=odd)),
            replace(PENDING, expires_at=None, raw_times={"expired_at": str(odd)}),
        )
        for odd in (
            "2025-12-03T11:00:00",
            "2025-12-03",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00Z",
            "2025-02-30T11:00:00Z",
            "2025-12-03T25:00:00Z",
            "２025-12-03T11:00:00Z",
            "soon",
            5,
        )
    ),
    Case(
        "an unreadable price",
        json_answer(order(price="free")),
        replace(PENDING, price=None),
    ),
    Case(
        "a negative price in a string",
        json_answer(order(price="-0.50")),
        replace(PENDING, price=Decimal("-0.50")),
    ),
    Case(
        "another order than requested",
        json_answer(order(order_id=12346)),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "order_id 12346"),
    ),
]


@parametrize_cases(FETCHED)
def test_answer_to_fetching_an_order(case: Case) -> None:
    case.check(GoSMS, lambda client: client.fetch_order("12345"))


CANCELLED = [
    Case(
        "the document's sample",
        raw_answer(GOSMS_CANCELLED),
        Cancellation("订单已取消,金额已退回", Decimal("0.50")),
    ),
    Case("no refund stated", json_answer({"message": "ok"}), Cancellation("ok", None)),
    Case("nothing stated", json_answer({}), Failure(OutcomeUnknown, Reason.UNREADABLE)),
    Case(
        "too late",
        json_answer({"error": "订单已收到短信", "code": "INVALID_PARAMS"}, 400),
        Failure(Refused, Reason.PARAMETERS, "订单已收到短信 (INVALID_PARAMS)"),
    ),
]


@parametrize_cases(CANCELLED)
def test_answer_to_cancelling_an_order(case: Case) -> None:
    case.check(GoSMS, lambda client: client.cancel_order("12345"))


REQUESTS: list[tuple[Operation, Request, Any]] = [
    (
        gosms.PLACE,
        Request(
            "POST", "/order", json={"project_code": "whatsapp", "region": "ID"}, headers=HEADERS
        ),
        CALLS["place_order"],
    ),
    (gosms.FETCH, Request("GET", "/order/12345", headers=HEADERS), CALLS["fetch_order"]),
    (gosms.CANCEL, Request("POST", "/order/12345/cancel", headers=HEADERS), CALLS["cancel_order"]),
    (gosms.BALANCE, Request("GET", "/user/balance", headers=HEADERS), CALLS["fetch_balance"]),
    (gosms.PROFILE, Request("GET", "/user/profile", headers=HEADERS), CALLS["fetch_profile"]),
    (
        gosms.LIST,
        Request("GET", "/user/orders", query={"page": "1", "page_size": "20"}, headers=HEADERS),
        CALLS["list_orders"],
    ),
    (
        gosms.LIST,
        Request(
            "GET",
            "/user/orders",
            query={"page": "3", "page_size": "100", "status": "completed"},
            headers=HEADERS,
        ),
        lambda client: client.list_orders(page=3, page_size=100, state="completed"),
    ),
    (
        gosms.TRANSACTIONS,
        Request(
            "GET", "/user/transactions", query={"page": "1", "page_size": "20"}, headers=HEADERS
        ),
        CALLS["list_transactions"],
    ),
]


@pytest.mark.parametrize(
    ("operation", "request_", "call"), REQUESTS, ids=lambda value: getattr(value, "path", "")
)
def test_each_call_sends_the_documented_request(
    operation: Operation, request_: Request, call: Any
) -> None:
    client, transport = open_client(GoSMS, raw_answer(SAMPLES["gosms", operation.name]))
    call(client)
    assert transport.calls == [(operation, request_)]


@pytest.mark.parametrize("order_id", ["", "..", "1/cancel", "1?x=1", "１", "1 ", "x" * 65])
def test_order_id_cannot_change_the_path(order_id: str) -> None:
    client, transport = open_client(GoSMS)
    for call in (client.fetch_order, client.cancel_order):
        with pytest.raises(CannotTake):
            call(order_id)
    assert transport.calls == []


@pytest.mark.parametrize(
    ("project", "region"), [("", "ID"), ("whatsapp", "id"), ("whatsapp", "IDN"), ("whatsapp", "")]
)
def test_order_needs_an_app_and_a_country(project: str, region: str) -> None:
    client, transport = open_client(GoSMS)
    with pytest.raises(CannotTake) as refused:
        client.place_order(project, region)
    assert refused.value.text % refused.value.values
    assert transport.calls == []


def test_received_code_is_hidden_but_error_name_is_readable() -> None:
    for operation in (gosms.PLACE, gosms.FETCH, gosms.CANCEL, gosms.LIST):
        assert operation.hidden_in_answer(200) == {"code", "content"}
        assert operation.hidden_in_answer(404) == {"content"}


@given(st.text())
def test_unlisted_state_is_unrecognised(word: str) -> None:
    if word in ORDER_STATES:
        return
    client, _ = open_client(GoSMS, json_answer(order(status=word)))
    assert client.fetch_order("12345").state is OrderState.UNRECOGNISED
