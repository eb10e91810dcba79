"""OTP Service, by its document, steps 1 to 4."""

from __future__ import annotations

import pytest

from providers.clients.otpservice import CHECK, SEND, OtpService
from providers.gateway.call import Request
from providers.gateway.client import CannotTake
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.vocabulary import (
    CheckResult,
    CodeCheck,
    ProviderCode,
    Reason,
    Submission,
)

from .fake_transport import (
    Case,
    Failure,
    credential_of,
    json_answer,
    open_client,
    parametrize_cases,
    raw_answer,
)
from .samples import OTP_CHECKED, OTP_SENT

REQUEST = ProviderCode("+8613312345678", "s-9f8e7d6c")
LOGIN = {"username": credential_of("username"), "password": credential_of("password")}


def answer(**changes: object) -> dict[str, object]:
    return {"STATUS": "SUCCESS", "MSG": "", "CODE": "200", "MSGID": "100", **changes}


def refused(code: object, **changes: object) -> dict[str, object]:
    return answer(STATUS="ERROR", CODE=code, MSGID="0", **changes)


REFUSALS = [
    Case(
        "400: parameters",
        json_answer(refused("400", MSG="Incorrect request parameters")),
        Failure(Refused, Reason.PARAMETERS, "ERROR 400 Incorrect request parameters"),
    ),
    Case(
        "401: login", json_answer(refused("401")), Failure(Refused, Reason.CREDENTIALS, "ERROR 401")
    ),
    Case(
        "412: not activated",
        json_answer(refused("412")),
        Failure(Refused, Reason.ACCOUNT_DISABLED, "ERROR 412"),
    ),
    Case(
        "a CODE that is a number",
        json_answer(refused(401)),
        Failure(Refused, Reason.CREDENTIALS, "ERROR 401"),
    ),
    Case(
        "500: fault of the provider",
        json_answer(refused("500")),
        Failure(OutcomeUnknown, Reason.PROVIDER_FAULT, "ERROR 500"),
    ),
    Case(
        "401 under HTTP 401",
        json_answer(refused("401"), 401),
        Failure(Refused, Reason.CREDENTIALS, "ERROR 401"),
    ),
    Case("HTTP 401 alone", raw_answer("", 401), Failure(Refused, Reason.CREDENTIALS)),
    Case("HTTP 412 alone", raw_answer("<html>", 412), Failure(Refused, Reason.ACCOUNT_DISABLED)),
    Case(
        "success and 500",
        json_answer(answer(CODE="500")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 500"),
    ),
    Case(
        "error and 200",
        json_answer(answer(STATUS="ERROR")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "ERROR 200"),
    ),
    Case(
        "success under HTTP 500",
        json_answer(answer(), 500),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 200"),
    ),
    Case(
        "an unknown STATUS",
        json_answer(answer(STATUS="PENDING")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "PENDING 200"),
    ),
    Case(
        "STATUS in lower case",
        json_answer(answer(STATUS="success", MSGID="71")),
        Submission("71", "success 200"),
    ),
    Case(
        "an unknown CODE",
        json_answer(refused("418")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "ERROR 418"),
    ),
    Case(
        "no STATUS",
        json_answer({"CODE": "200", "MSGID": "100"}),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "200"),
    ),
    Case(
        "no CODE",
        json_answer({"STATUS": "SUCCESS", "MSGID": "100"}),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "SUCCESS"),
    ),
]
OK = "SUCCESS 200"
SENT = [
    Case("the document's sample", raw_answer(OTP_SENT), Submission("0", OK, ("no_id",))),
    Case("an id", json_answer(answer()), Submission("100", OK)),
    Case("an id that is a number", json_answer(answer(MSGID=100)), Submission("100", OK)),
    Case("0 that is a number", json_answer(answer(MSGID=0)), Submission("0", OK, ("no_id",))),
    Case("an empty id", json_answer(answer(MSGID="")), Submission("", OK, ("no_id",))),
    Case("null for an id", json_answer(answer(MSGID=None)), Submission("", OK, ("no_id",))),
    Case(
        "no id",
        json_answer({"STATUS": "SUCCESS", "CODE": "200"}),
        Submission("", OK, ("no_id",)),
    ),
    Case("a CODE that is a number", json_answer(answer(CODE=200)), Submission("100", OK)),
    Case("words", json_answer(answer(MSG="sent")), Submission("100", "SUCCESS 200 sent")),
    *REFUSALS,
    Case(
        "HTTP 429 beside the id of a code is not repeated",
        json_answer(answer(STATUS="QUEUED"), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "QUEUED 200"),
    ),
]


@parametrize_cases(SENT)
def test_answer_to_sending_a_code(case: Case) -> None:
    case.check(OtpService, lambda client: client.start_code(REQUEST))


def checked(**changes: object) -> dict[str, object]:
    return answer(**{"MSGID": 100, "RESULT": "PASS", **changes})


CHECKED = [
    Case("the document's sample", raw_answer(OTP_CHECKED), CheckResult(True, "SUCCESS 200 PASS")),
    Case(
        "an id that is text",
        json_answer(checked(MSGID="100")),
        CheckResult(True, "SUCCESS 200 PASS"),
    ),
    Case(
        "our reference beside it",
        json_answer(checked(EXTID="s-1")),
        CheckResult(True, "SUCCESS 200 PASS"),
    ),
    Case(
        "the wrong code",
        json_answer(checked(RESULT="FAILED")),
        CheckResult(False, "SUCCESS 200 FAILED"),
    ),
    Case(
        "PASS in lower case",
        json_answer(checked(RESULT=" pass ")),
        CheckResult(True, "SUCCESS 200  pass"),
    ),
    Case(
        "a word for success that is not PASS",
        json_answer(checked(RESULT="true")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "SUCCESS 200 true"),
    ),
    Case(
        "no RESULT",
        json_answer(answer()),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "SUCCESS 200"),
    ),
    Case(
        "a boolean",
        json_answer(checked(RESULT=True)),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "SUCCESS 200 true"),
    ),
    Case(
        "PASS for another session",
        json_answer(checked(MSGID=101)),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 200 PASS"),
    ),
    Case(
        "PASS for no session",
        json_answer({"STATUS": "SUCCESS", "CODE": "200", "RESULT": "PASS"}),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 200 PASS"),
    ),
    Case(
        "PASS for another reference",
        json_answer(checked(EXTID="s-2")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 200 PASS"),
    ),
    Case(
        "PASS and 500",
        json_answer(checked(CODE="500")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "SUCCESS 500"),
    ),
    Case(
        "PASS and an error",
        json_answer(checked(STATUS="ERROR", CODE="400")),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "ERROR 400"),
    ),
    *REFUSALS[:-6],
]


@parametrize_cases(CHECKED)
def test_answer_to_checking_a_code(case: Case) -> None:
    check = CodeCheck("100", "482913", "s-1")
    case.check(OtpService, lambda client: client.check_code(check))


def test_placeholder_id_is_sent_back_and_flagged() -> None:
    client, transport = open_client(OtpService, json_answer(checked(MSGID=0)))
    assert client.check_code(CodeCheck("0", "482913")).warnings == ("no_id",)
    assert transport.calls[0][1].query["sid"] == "0"


def test_sending_includes_our_reference() -> None:
    client, transport = open_client(OtpService, raw_answer(OTP_SENT))
    client.start_code(REQUEST)
    query = {"msisdn": "8613312345678", **LOGIN, "eid": "s-9f8e7d6c"}
    assert transport.calls == [(SEND, Request("GET", "/send", query=query))]


def test_checking_includes_session_and_code() -> None:
    client, transport = open_client(OtpService, raw_answer(OTP_CHECKED))
    client.check_code(CodeCheck("100", "482913"))
    query = {"sid": "100", "code": "482913", **LOGIN}
    http_request = Request("GET", "/code", query=query, secrets=("482913",))
    assert transport.calls == [(CHECK, http_request)]


def test_code_is_hidden_in_the_request_but_readable_in_the_answer() -> None:
    assert "code" in CHECK.hidden
    assert "code" not in CHECK.hidden_in_answer(200)
    assert {"username", "password"} <= CHECK.hidden_in_answer(200)


def test_number_format_is_an_option() -> None:
    assert OtpService.format_recipient("+8613312345678", {}) == "8613312345678"
    assert (
        OtpService.format_recipient("+8613312345678", {"phone_format": "digits"}) == "8613312345678"
    )
    assert (
        OtpService.format_recipient("+8613312345678", {"phone_format": "plus"}) == "+8613312345678"
    )


@pytest.mark.parametrize("recipient", ["", "+86 133", "+8613312345678,8613312345679", "+86１３３"])
def test_invalid_recipient_is_refused(recipient: str) -> None:
    with pytest.raises(CannotTake):
        OtpService.format_recipient(recipient, {})


def test_incomplete_request_is_refused_without_a_call() -> None:
    client, transport = open_client(OtpService)
    for reference in ("", "a b", "x" * 65):
        with pytest.raises(CannotTake):
            client.start_code(ProviderCode("+8613312345678", reference))
    for check in (CodeCheck("", "482913"), CodeCheck("100", "")):
        with pytest.raises(CannotTake):
            client.check_code(check)
    assert transport.calls == []
