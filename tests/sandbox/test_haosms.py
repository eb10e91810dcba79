"""The simulated HaoSMS against its document."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Call


def test_code_is_accepted_by_post_form(otp_msg: Call) -> None:
    answer = otp_msg().json()
    assert re.fullmatch("[0-9a-f]{32}", answer.pop("msg"))
    assert answer == {
        "result": "成功",
        "code": "",
        "data": None,
        "datas": [],
        "name": "extra_api.otp_msg",
        "request_id": "",
    }


def test_code_is_accepted_by_get(otp_msg: Call) -> None:
    assert otp_msg("GET").json()["result"] == "成功"


def test_trailing_slash_of_the_document_is_accepted(
    sandbox: Sandbox, session: requests.Session
) -> None:
    url = sandbox.base_url("haosms") + "/extra_api/otp_msg/?api_key=practice-haosms-key"
    example = (
        "&content=123212&phone=15512345827&platform=%E9%AA%8C%E8%AF%81%E7%A0%81%E9%80%9A%E9%81%931"
    )
    assert session.get(url + example, timeout=5).json()["result"] == "成功"


def test_chinese_is_not_escaped(otp_msg: Call) -> None:
    assert '"成功"' in otp_msg().content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"api_key": "wrong"}, "api_key错误"),
        ({"api_key": None}, "api_key错误"),
        ({"content": "1234567"}, "验证码只能包含数字和英文字母,最长6位"),
        ({"content": "12 34"}, "验证码只能包含数字和英文字母,最长6位"),
        ({"content": "１２３４"}, "验证码只能包含数字和英文字母,最长6位"),
        ({"phone": "+8613912345678"}, "手机号格式错误"),
        ({"phone": "008613912345678"}, "手机号格式错误"),
        ({"phone": "8613912345678"}, "手机号格式错误"),
        ({"platform": "no such channel"}, "通道不存在"),
        ({"tmp_id": "5"}, "模板不存在"),
        ({"phone": "13912999001"}, "号码无法接收短信"),
    ],
)
def test_refusal_has_its_reason_in_msg(
    otp_msg: Call, changes: dict[str, str | None], message: str
) -> None:
    response = otp_msg(**changes)
    answer = response.json()
    assert (response.status_code, answer["result"], answer["msg"]) == (200, "失败", message)


@pytest.mark.parametrize("template", [None, "1", "2", "3", "4"])
def test_default_and_four_templates_are_accepted(otp_msg: Call, template: str | None) -> None:
    assert otp_msg(tmp_id=template).json()["result"] == "成功"


def test_code_beyond_the_balance_is_refused(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.change_account("haosms", balance="0.5")
    assert otp_msg().json()["msg"] == "余额不足"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_balance_is_a_number_and_result_a_string(
    sandbox: Sandbox, session: requests.Session, method: str
) -> None:
    sandbox.change_account("haosms", balance="12.50")
    url = sandbox.base_url("haosms") + "/user/s_balance"
    values = {"api_key": "practice-haosms-key"}
    sent: dict[str, Any] = {"params" if method == "GET" else "data": values}
    answer = session.request(method, url, timeout=5, **sent)
    assert answer.text == (
        '{"msg": "", "result": "True", "code": "", "data": {"balance": 12.50}, '
        '"datas": [], "name": "", "request_id": ""}'
    )


def test_balance_of_an_unknown_key_is_refused(sandbox: Sandbox, session: requests.Session) -> None:
    url = sandbox.base_url("haosms") + "/user/s_balance?api_key=wrong"
    answer = session.get(url, timeout=5).json()
    assert (answer["result"], answer["data"]) == ("False", None)


def test_book_has_the_message_and_hides_the_key(sandbox: Sandbox, otp_msg: Call) -> None:
    task = otp_msg().json()["msg"]
    entry = sandbox.book.entries("haosms", "otp_msg")[0]
    assert (entry.message_id, entry.reference) == (task, "13912345678:123212")
    assert entry.fields == {"phone": "13912345678", "content": "123212", "platform": "验证码通道1"}
