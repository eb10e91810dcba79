"""The simulated OTP Service against its document."""

from __future__ import annotations

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Call, Receiver


def generated_code(sandbox: Sandbox) -> object:
    return sandbox.book.entries("otpservice", "send")[-1].fields["generated_code"]


def test_send_returns_the_message_id_as_a_string(otp: Call) -> None:
    assert otp("/send").json() == {
        "STATUS": "SUCCESS",
        "MSG": "",
        "CODE": "200",
        "MSGID": "100",
    }


def test_send_can_return_the_placeholder_of_the_document(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_settings("otpservice", placeholder_msgid=True)
    assert otp("/send").json()["MSGID"] == "0"


def test_correct_code_passes_and_returns_the_message_id_as_a_number(
    sandbox: Sandbox, otp: Call
) -> None:
    otp("/send")
    assert otp("/code", sid="100", code=generated_code(sandbox)).json() == {
        "STATUS": "SUCCESS",
        "MSG": "",
        "CODE": "200",
        "MSGID": 100,
        "RESULT": "PASS",
    }


def test_wrong_code_fails(otp: Call) -> None:
    otp("/send")
    assert otp("/code", sid="100", code="wrong").json()["RESULT"] == "FAILED"


def test_code_passes_only_once(sandbox: Sandbox, otp: Call) -> None:
    otp("/send")
    otp("/code", sid="100", code=generated_code(sandbox))
    assert otp("/code", sid="100", code=generated_code(sandbox)).json()["RESULT"] == "FAILED"


def test_correct_code_fails_after_too_many_wrong_ones(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_settings("otpservice", max_attempts=1)
    otp("/send")
    otp("/code", sid="100", code="wrong")
    assert otp("/code", sid="100", code=generated_code(sandbox)).json()["RESULT"] == "FAILED"


def test_placeholder_means_the_latest_session(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_settings("otpservice", placeholder_msgid=True)
    otp("/send")
    answer = otp("/code", sid="0", code=generated_code(sandbox)).json()
    assert (answer["RESULT"], answer["MSGID"]) == ("PASS", 0)


def test_check_answer_can_contain_extid(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_settings("otpservice", extid_in_code_answer=True)
    otp("/send")
    assert otp("/code", sid="100", code="wrong").json()["EXTID"] == "our-eid"


@pytest.mark.parametrize(
    ("path", "changes", "code"),
    [
        ("/send", {"msisdn": None}, "400"),
        ("/send", {"msisdn": "letters"}, "400"),
        ("/send", {"eid": None}, "400"),
        ("/send", {"password": None}, "400"),
        ("/send", {"password": "wrong"}, "401"),
        ("/send", {"username": "nobody"}, "401"),
        ("/code", {"sid": "100"}, "400"),
        ("/code", {"sid": "999", "code": "1"}, "400"),
        ("/code", {"sid": "100", "code": "1", "password": "wrong"}, "401"),
    ],
)
def test_refusal_has_a_code(
    otp: Call, path: str, changes: dict[str, str | None], code: str
) -> None:
    answer = otp(path, **changes).json()
    assert (answer["STATUS"], answer["CODE"]) == ("ERROR", code)


def test_inactive_account_is_refused(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_account("otpservice", active=False)
    assert otp("/send").json()["CODE"] == "412"


def test_http_status_can_follow_the_code(sandbox: Sandbox, otp: Call) -> None:
    sandbox.change_settings("otpservice", http_status_follows_code=True)
    assert otp("/send", password="wrong").status_code == 401


def test_send_is_followed_by_a_type_0_callback(
    sandbox: Sandbox, otp: Call, receiver: Receiver
) -> None:
    sandbox.change_account("otpservice", callback_url=receiver.url)
    otp("/send")
    assert sandbox.wait_for_pushes()
    assert receiver.received == [
        {
            "STATUS": "SUCCESS",
            "MSG": "",
            "TYPE": "0",
            "CODE": "200",
            "MSGID": "100",
            "EXTID": "our-eid",
        }
    ]


def test_check_is_followed_by_a_type_1_callback_without_result(
    sandbox: Sandbox, otp: Call, receiver: Receiver
) -> None:
    otp("/send")
    sandbox.change_account("otpservice", callback_url=receiver.url)
    otp("/code", sid="100", code="wrong")
    assert sandbox.wait_for_pushes()
    assert receiver.received == [
        {
            "STATUS": "ERROR",
            "MSG": "Wrong number",
            "TYPE": "1",
            "CODE": "400",
            "MSGID": "100",
            "EXTID": "our-eid",
        }
    ]


def test_wrong_number_is_reported(sandbox: Sandbox, otp: Call, receiver: Receiver) -> None:
    sandbox.change_account("otpservice", callback_url=receiver.url)
    otp("/send", msisdn="8613312999001")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["CODE"] == "400"


def test_book_hides_name_and_password(sandbox: Sandbox, otp: Call) -> None:
    otp("/send")
    assert sorted(sandbox.book.entries("otpservice")[0].fields) == [
        "eid",
        "generated_code",
        "msisdn",
    ]


def test_only_get_is_accepted(sandbox: Sandbox, session: requests.Session) -> None:
    assert session.post(sandbox.base_url("otpservice") + "/send", timeout=5).status_code == 404
