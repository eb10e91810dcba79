"""HaoSMS, by its document: "Send Verification Code API" and "Query Balance API"."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers.clients.haosms import BALANCE, SEND, HaoSMS
from providers.gateway.call import Request
from providers.gateway.client import CannotTake
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Balance, OwnCode, Reason, Submission

from .fake_transport import (
    Case,
    Failure,
    credential_of,
    json_answer,
    open_client,
    parametrize_cases,
    raw_answer,
)
from .samples import HAOSMS_BALANCE, HAOSMS_SENT

OPTIONS = {"channels": ["验证码通道1", "中国OTP通道2"], "other_channels": ["ID 印尼 通道 1"]}
CODE = OwnCode("+8613246380881", "123212", "验证码通道1")
KEY = credential_of("api_key")
TASK = "a42739630dbe4daa8d4f5f6a530a35bc"


def answer(**changes: object) -> dict[str, object]:
    sample: dict[str, object] = {
        "msg": TASK,
        "result": "成功",
        "code": "",
        "data": None,
        "datas": [],
    }
    return {**sample, "name": "extra_api.otp_msg", "request_id": "", **changes}


SENT = [
    Case("the document's sample", raw_answer(HAOSMS_SENT), Submission(TASK, "成功")),
    Case("the other endpoint's word", json_answer(answer(result="True")), Submission(TASK, "True")),
    Case("that word in lower case", json_answer(answer(result="true")), Submission(TASK, "true")),
    Case("a boolean", json_answer(answer(result=True)), Submission(TASK, "true")),
    Case("an id that is a number", json_answer(answer(msg=77)), Submission("77", "成功")),
    Case("no id", json_answer(answer(msg="")), Submission("", "成功", ("no_id",))),
    Case("null for an id", json_answer(answer(msg=None)), Submission("", "成功", ("no_id",))),
    Case(
        "failure, with its reason in msg",
        json_answer(answer(result="失败", msg="余额不足")),
        Failure(Refused, Reason.OTHER_REFUSAL, "余额不足"),
    ),
    Case(
        "failure with text that looks like an id",
        json_answer(answer(result="失败")),
        Failure(Refused, Reason.OTHER_REFUSAL, TASK),
    ),
    Case(
        "failure in the other endpoint's word",
        json_answer(answer(result="False", msg="api_key错误")),
        Failure(Refused, Reason.OTHER_REFUSAL, "api_key错误"),
    ),
    Case(
        "failure as a boolean, without a reason",
        json_answer(answer(result=False, msg="")),
        Failure(Refused, Reason.OTHER_REFUSAL, "false"),
    ),
    Case(
        "failure under HTTP 500",
        json_answer(answer(result="失败", msg="x"), 500),
        Failure(Refused, Reason.OTHER_REFUSAL, "x"),
    ),
    Case(
        "failure under HTTP 429",
        json_answer(answer(result="失败", msg="too many"), 429),
        Failure(NotDone, Reason.RATE_LIMITED, "too many"),
    ),
    Case(
        "HTTP 429 beside a task id is not repeated",
        json_answer(answer(result="已提交"), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, TASK),
    ),
    Case(
        "failure under HTTP 429 beside a task id is not repeated",
        json_answer(answer(result="失败"), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, TASK),
    ),
    Case(
        "an unknown word",
        json_answer(answer(result="已提交")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, TASK),
    ),
    Case(
        "1, which means success in some interfaces only",
        json_answer(answer(result=1)),
        Failure(OutcomeUnknown, Reason.UNREADABLE, TASK),
    ),
    Case(
        "0, which means failure in some interfaces only",
        json_answer(answer(result=0)),
        Failure(OutcomeUnknown, Reason.UNREADABLE, TASK),
    ),
    Case(
        "words instead of an id",
        json_answer(answer(msg="余额不足")),
        Submission("", "成功 余额不足", ("no_id",)),
    ),
    Case(
        "a number that is no word",
        json_answer(answer(result=2, msg="")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "2"),
    ),
    Case(
        "success under HTTP 502",
        json_answer(answer(), 502),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, TASK),
    ),
]


@parametrize_cases(SENT)
def test_answer_to_sending_a_code(case: Case) -> None:
    case.check(HaoSMS, lambda client: client.send_code(CODE), OPTIONS)


BALANCES = [
    Case("the document's sample", raw_answer(HAOSMS_BALANCE), Balance(Decimal(0))),
    Case(
        "a fraction",
        raw_answer('{"result":"True","data":{"balance":12.3456}}'),
        Balance(Decimal("12.3456")),
    ),
    Case(
        "failure",
        json_answer({"msg": "api_key错误", "result": "False", "data": None}),
        Failure(Refused, Reason.OTHER_REFUSAL, "api_key错误"),
    ),
    Case(
        "success without data",
        json_answer({"msg": "", "result": "True", "data": None}),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "a boolean for an amount",
        json_answer({"result": "True", "data": {"balance": True}}),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
]


@parametrize_cases(BALANCES)
def test_answer_with_a_balance(case: Case) -> None:
    case.check(HaoSMS, lambda client: client.fetch_balance())


def test_code_is_sent_as_a_form_to_the_national_number() -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_SENT), **OPTIONS)
    client.send_code(CODE)
    form = {
        "api_key": KEY,
        "phone": "13246380881",
        "content": "123212",
        "platform": "验证码通道1",
    }
    http_request = Request("POST", "/extra_api/otp_msg", form=form, secrets=("123212",))
    assert transport.calls == [(SEND, http_request)]


def test_balance_is_fetched_by_post_to_keep_the_key_out_of_the_url() -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_BALANCE))
    client.fetch_balance()
    assert transport.calls == [(BALANCE, Request("POST", "/user/s_balance", form={"api_key": KEY}))]


@pytest.mark.parametrize("template", ["1", "2", "3", "4"])
def test_chosen_template_is_sent(template: str) -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_SENT), **OPTIONS)
    client.send_code(OwnCode("+8613246380881", "123212", "验证码通道1", template))
    assert (transport.calls[0][1].form or {})["tmp_id"] == template


def test_trailing_slash_is_an_option() -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_SENT), trailing_slash=True, **OPTIONS)
    client.send_code(CODE)
    assert transport.calls[0][1].path == "/extra_api/otp_msg/"


def test_foreign_channel_gets_the_national_number() -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_SENT), **OPTIONS)
    client.send_code(OwnCode("+6281234567890", "123212", "印尼 通道 1"))
    form = transport.calls[0][1].form or {}
    assert (form["phone"], form["platform"]) == ("81234567890", "印尼 通道 1")


def test_channels_are_listed_by_country_and_unchanged() -> None:
    options = {
        "channels": ["a ", " b", "", "a"],
        "other_channels": ["ID x  y ", "TH z", "IDx", "ID ", "id q", "ID w"],
    }
    assert HaoSMS.channels("CN", options) == ("a ", " b", "a")
    assert HaoSMS.channels("ID", options) == ("x  y ", "w")
    assert HaoSMS.channels("US", options) == ()
    assert HaoSMS.channels("CN", {}) == ()
    assert HaoSMS.channels("CN", {"channels": "a\r\nb"}) == ("a", "b")
    assert HaoSMS.channels("CN", {"channels": 5}) == ()


@pytest.mark.parametrize(
    "request_",
    [
        OwnCode("+8613246380881", "123212", "印尼 通道 1"),
        OwnCode("+8613246380881", "123212", ""),
        OwnCode("+6281234567890", "123212", "验证码通道1"),
        OwnCode("+6581234567", "123212", "验证码通道1"),
        OwnCode("+8612046380881", "123212", "验证码通道1"),
        OwnCode("13246380881;rm", "123212", "验证码通道1"),
        OwnCode("+8613246380881", "1234567", "验证码通道1"),
        OwnCode("+8613246380881", "", "验证码通道1"),
        OwnCode("+8613246380881", "123212", "验证码通道1", "5"),
    ],
)
def test_unsupported_code_or_recipient_is_refused_without_a_call(request_: OwnCode) -> None:
    client, transport = open_client(HaoSMS, raw_answer(HAOSMS_SENT), **OPTIONS)
    with pytest.raises(CannotTake):
        client.send_code(request_)
    assert transport.calls == []


@pytest.mark.parametrize("code", ["0", "123456", "aBc123", "ZZZZZZ"])
def test_code_of_digits_and_english_letters_is_accepted(code: str) -> None:
    HaoSMS.check_own_code(code)


@pytest.mark.parametrize("code", ["", "1234567", "12 34", "１２３", "²³", "é", "12\n", "1-2"])
def test_any_other_code_is_refused(code: str) -> None:
    with pytest.raises(CannotTake) as refused:
        HaoSMS.check_own_code(code)
    assert refused.value.values == {"provider": "HaoSMS"}
    assert "HaoSMS" in refused.value.text % refused.value.values


def test_foreign_number_needs_a_channel_for_its_country() -> None:
    with pytest.raises(CannotTake) as refused:
        HaoSMS.format_recipient("+6581234567", OPTIONS)
    text = refused.value.text % refused.value.values
    assert text == "HaoSMS accepts mainland China numbers only, without +86."
    assert HaoSMS.format_recipient("+8613246380881", {}) == "13246380881"


def test_only_the_default_template_promises_an_hour() -> None:
    assert {template.key for template in HaoSMS.templates} == {"", "1", "2", "3", "4"}
    assert all("XXXX" in template.text for template in HaoSMS.templates)
    promising = [template.key for template in HaoSMS.templates if "1 hour" in template.text]
    assert promising == [""]
    assert HaoSMS.default_template == "2"
