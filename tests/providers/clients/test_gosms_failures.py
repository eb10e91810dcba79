"""The failures of GoSMS: 业务错误码 take precedence over HTTP 状态码, for every call."""

from __future__ import annotations

import json

import pytest

from providers.clients.gosms import GoSMS
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason

from .fake_transport import Case, Failure, json_answer, parametrize_cases, raw_answer
from .samples import CALLS, GOSMS_PENDING, SAMPLES


def order(**changes: object) -> dict[str, object]:
    return {**json.loads(GOSMS_PENDING), **changes}


def error(code: str = "", text: str = "出错") -> dict[str, str]:
    return {"error": text, "code": code} if code else {"error": text}


ERRORS = [
    ("UNAUTHORIZED", 401, Reason.CREDENTIALS),
    ("INVALID_PARAMS", 400, Reason.PARAMETERS),
    ("INSUFFICIENT_BALANCE", 402, Reason.NO_BALANCE),
    ("NO_AVAILABLE_NUMBER", 503, Reason.NO_NUMBER_AVAILABLE),
    ("ORDER_NOT_FOUND", 404, Reason.ORDER_NOT_FOUND),
    ("ORDER_EXPIRED", 400, Reason.ORDER_EXPIRED),
    ("PRICE_CALCULATION_ERROR", 500, Reason.PRICE_NOT_CALCULATED),
]
FAILURES = [
    *(
        Case(
            f"{code} under HTTP {status}",
            json_answer(error(code), status),
            Failure(Refused, reason, f"出错 ({code})"),
        )
        for code, documented, reason in ERRORS
        for status in (documented, 200, 500)
    ),
    *(
        Case(
            f"an error with {none!r} for the order",
            json_answer({**error("INSUFFICIENT_BALANCE"), "order_id": none}, status),
            Failure(Refused, Reason.NO_BALANCE, "出错 (INSUFFICIENT_BALANCE)"),
        )
        for none in (None, 0, "", "0")
        for status in (402, 200)
    ),
    Case("HTTP 400 alone", raw_answer("", 400), Failure(Refused, Reason.PARAMETERS)),
    Case("HTTP 401 alone", raw_answer("", 401), Failure(Refused, Reason.CREDENTIALS)),
    Case("HTTP 402 alone", raw_answer("<html>", 402), Failure(Refused, Reason.NO_BALANCE)),
    Case("HTTP 403 alone", raw_answer("{}", 403), Failure(Refused, Reason.ACCOUNT_DISABLED)),
    Case("HTTP 404 alone", raw_answer("[]", 404), Failure(Refused, Reason.ORDER_NOT_FOUND)),
    Case("HTTP 409", raw_answer("", 409), Failure(Refused, Reason.OTHER_REFUSAL)),
    Case(
        "403 without a name",
        json_answer(error(), 403),
        Failure(Refused, Reason.ACCOUNT_DISABLED, "出错"),
    ),
    Case("429", json_answer(error(), 429), Failure(NotDone, Reason.RATE_LIMITED, "出错")),
    Case("500", json_answer(error(), 500), Failure(OutcomeUnknown, Reason.PROVIDER_FAULT, "出错")),
    Case(
        "503 from a proxy",
        raw_answer("<html>503 Service Unavailable</html>", 503),
        Failure(OutcomeUnknown, Reason.PROVIDER_FAULT),
    ),
    Case(
        "503 with an unknown name",
        json_answer(error("MAINTENANCE"), 503),
        Failure(OutcomeUnknown, Reason.PROVIDER_FAULT, "出错 (MAINTENANCE)"),
    ),
    Case(
        "an error under HTTP 200 that has no known name",
        json_answer(error("NEW_ERROR")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "出错 (NEW_ERROR)"),
    ),
    Case(
        "an error together with an order",
        json_answer({**order(code="123456"), "error": "x"}),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "x"),
    ),
    Case(
        "an order under HTTP 500, whose code is no error name",
        json_answer(order(code="123456"), 500),
        Failure(OutcomeUnknown, Reason.PROVIDER_FAULT),
    ),
    Case(
        "an order under HTTP 201",
        json_answer(order(), 201),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
]


@parametrize_cases(FAILURES)
@pytest.mark.parametrize("method", [method for key, method in SAMPLES if key == "gosms"])
def test_failure_is_the_same_for_every_call(case: Case, method: str) -> None:
    case.check(GoSMS, CALLS[method])
