"""The practice OTP Service against its document."""

from __future__ import annotations

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Ask, Receiver


def generated_code(sandbox: Sandbox) -> object:
    return sandbox.book.entries("otpservice", "send")[-1].fields["generated_code"]


def test_it_sends_a_code_and_names_the_message_in_a_string(otp: Ask) -> None:
    assert otp("/send").json() == {
        "STATUS": "SUCCESS",
        "MSG": "",
        "CODE": "200",
        "MSGID": "100",
    }


def test_it_can_answer_the_placeholder_of_the_documents_sample(sandbox: Sandbox, otp: Ask) -> None:
    sandbox.change_settings("otpservice", placeholder_msgid=True)
    assert otp("/send").json()["MSGID"] == "0"


def test_it_passes_the_right_code_and_names_the_message_in_a_number(
    sandbox: Sandbox, otp: Ask
) -> None:
    otp("/send")
    assert otp("/code", sid="100", code=generated_code(sandbox)).json() == {
        "STATUS": "SUCCESS",
        "MSG": "",
        "CODE": "200",
        "MSGID": 100,
        "RESULT": "PASS",
    }


def test_it_fails_a_wrong_code(otp: Ask) -> None:
    otp("/send")
    assert otp("/code", sid="100", code="wrong").json()["RESULT"] == "FAILED"


def test_it_passes_a_code_only_once(sandbox: Sandbox, otp: Ask) -> None:
    otp("/send")
    otp("/code", sid="100", code=generated_code(sandbox))
    assert otp("/code", sid="100", code=generated_code(sandbox)).json()["RESULT"] == "FAILED"


def test_it_fails_the_right_code_after_too_many_wrong_ones(sandbox: Sandbox, otp: Ask) -> None:
    sandbox.change_settings("otpservice", max_attempts=1)
    otp("/send")
    otp("/code", sid="100", code="wrong")
    assert otp("/code", sid="100", code=generated_code(sandbox)).json()["RESULT"] == "FAILED"


def test_it_finds_the_latest_session_behind_the_placeholder(sandbox: Sandbox, otp: Ask) -> None:
    sandbox.change_settings("otpservice", placeholder_msgid=True)
    otp("/send")
    answer = otp("/code", sid="0", code=generated_code(sandbox)).json()
    assert (answer["RESULT"], answer["MSGID"]) == ("PASS", 0)


def test_it_names_extid_in_the_check_if_it_is_set_to(sandbox: Sandbox, otp: Ask) -> None:
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
def test_it_refuses_with_a_code(
    otp: Ask, path: str, changes: dict[str, str | None], code: str
) -> None:
    answer = otp(path, **changes).json()
    assert (answer["STATUS"], answer["CODE"]) == ("ERROR", code)


def test_it_refuses_an_account_that_is_not_activated(sandbox: Sandbox, otp: Ask) -> None:
    sandbox.change_account("otpservice", active=False)
    assert otp("/send").json()["CODE"] == "412"


def test_its_http_status_can_follow_its_code(sandbox: Sandbox, otp: Ask) -> None:
    sandbox.change_settings("otpservice", http_status_follows_code=True)
    assert otp("/send", password="wrong").status_code == 401


def test_it_calls_back_type_0_after_a_send(sandbox: Sandbox, otp: Ask, receiver: Receiver) -> None:
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


def test_it_calls_back_type_1_without_a_result_after_a_check(
    sandbox: Sandbox, otp: Ask, receiver: Receiver
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


def test_it_reports_a_wrong_number(sandbox: Sandbox, otp: Ask, receiver: Receiver) -> None:
    sandbox.change_account("otpservice", callback_url=receiver.url)
    otp("/send", msisdn="8613312999001")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["CODE"] == "400"


def test_its_book_hides_name_and_password(sandbox: Sandbox, otp: Ask) -> None:
    otp("/send")
    assert sorted(sandbox.book.entries("otpservice")[0].fields) == [
        "eid",
        "generated_code",
        "msisdn",
    ]


def test_it_takes_get_only(sandbox: Sandbox, session: requests.Session) -> None:
    assert session.post(sandbox.base_url("otpservice") + "/send", timeout=5).status_code == 404
