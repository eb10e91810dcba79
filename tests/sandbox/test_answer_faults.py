"""Faults in the answer."""

from __future__ import annotations

import json

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Call, RentNumber


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_error_page_is_html(sandbox: Sandbox, otp_msg: Call, code: int) -> None:
    sandbox.fault(f"html_{code}")
    response = otp_msg()
    assert (response.status_code, response.text[:6]) == (code, "<html>")


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("json_list", "[]"),
        ("json_string", '"ok"'),
        ("json_null", "null"),
        ("json_number", "5"),
        ("json_missing_keys", "{}"),
        ("empty_200", ""),
    ],
)
def test_answer_can_have_the_wrong_json_type(
    sandbox: Sandbox, otp_msg: Call, fault: str, body: str
) -> None:
    sandbox.fault(fault)
    assert otp_msg().text == body


@pytest.mark.parametrize("fault", ["json_truncated", "html_200", "bad_utf8"])
def test_answer_can_be_invalid_json(sandbox: Sandbox, otp_msg: Call, fault: str) -> None:
    sandbox.fault(fault)
    with pytest.raises(ValueError):
        json.loads(otp_msg().content)


def test_answer_can_be_nested_too_deeply(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("json_deep")
    with pytest.raises(RecursionError):
        json.loads(otp_msg().content)


def test_answer_can_have_duplicate_keys(sandbox: Sandbox, send_sms: Call) -> None:
    sandbox.fault("json_duplicate_keys")
    pairs = json.loads(send_sms().content, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "status"] == [None, "S"]


def test_answer_can_have_nan_for_its_numbers(sandbox: Sandbox, send_sms: Call) -> None:
    sandbox.fault("json_nan")
    assert '"message_id": NaN' in send_sms().text


def test_answer_can_have_odd_characters(sandbox: Sandbox, send_sms: Call) -> None:
    sandbox.fault("odd_text")
    answer = json.loads(send_sms().content)
    assert ("\u202e" in answer["remarks"], answer["note"]) == (True, "\ud800")


def test_haosms_can_contradict_itself(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("contradiction")
    answer = otp_msg().json()
    assert (answer["result"], answer["msg"]) == ("成功", "")


def test_otp_service_can_contradict_itself(sandbox: Sandbox, otp: Call) -> None:
    sandbox.fault("contradiction")
    answer = otp("/send").json()
    assert (answer["STATUS"], answer["CODE"]) == ("SUCCESS", "500")


def test_haorui_can_answer_with_the_uid_of_another_message(
    sandbox: Sandbox, send_sms: Call
) -> None:
    sandbox.fault("contradiction")
    assert send_sms(uid="uid-1").json()["uid"] != "uid-1"


def test_gosms_can_answer_for_another_order(
    sandbox: Sandbox, gosms: Call, rent_number: RentNumber
) -> None:
    rent_number()
    sandbox.fault("contradiction")
    assert gosms("GET", "/order/12345").json()["order_id"] == 1


def test_429_can_omit_retry_after(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("too_many")
    response = otp_msg()
    assert (response.status_code, response.headers.get("Retry-After")) == (429, None)


def test_429_can_have_retry_after(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("too_many_retry_after", wait=7)
    assert otp_msg().headers["Retry-After"] == "7"


def test_429_does_not_accept_the_call(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("too_many")
    otp_msg()
    assert sandbox.book.count("haosms", "otp_msg") == 0


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_leads_to_plain_http(
    sandbox: Sandbox, session: requests.Session, code: int
) -> None:
    sandbox.fault(f"redirect_{code}")
    url = sandbox.base_url("haosms") + "/user/s_balance"
    response = session.get(url, allow_redirects=False, timeout=5)
    assert (response.status_code, response.headers["Location"][:7]) == (code, "http://")


def test_client_that_follows_a_redirect_is_recorded(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("redirect_307")
    otp_msg()
    strayed = sandbox.book.entries(kind="strayed")[0]
    assert strayed.fields["parameters"] == ["api_key", "content", "phone", "platform"]


def test_answer_can_be_huge(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("huge_body")
    assert len(otp_msg().content) > 1024 * 1024


def test_answer_can_be_a_gzip_bomb(sandbox: Sandbox, session: requests.Session) -> None:
    sandbox.fault("gzip_bomb", bytes=3_000_000)
    url = sandbox.base_url("haosms") + "/user/s_balance?api_key=practice-haosms-key"
    response = session.get(url, timeout=5)
    packed = int(response.headers["Content-Length"])
    assert (packed < 10_000, len(response.content) > 3_000_000) == (True, True)


def test_gzip_bomb_decompresses_to_the_answer(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("gzip_bomb", bytes=3_000_000)
    assert otp_msg().json()["result"] == "成功"


def test_accepted_fault_is_recorded_with_its_id(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("html_502")
    otp_msg()
    entry = sandbox.book.entries()[0]
    assert (entry.fault, entry.accepted, entry.status) == ("html_502", True, None)


def test_connection_survives_an_answer_fault(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("json_list")
    otp_msg()
    assert isinstance(otp_msg(), requests.Response)
