"""The simulated HAORUI against its document."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Call, Receiver

SUBMITTED = {"status": "S", "remarks": "Message Submitted Sucessfully", "uid": None}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_text_is_accepted_with_an_id(send_sms: Call, method: str) -> None:
    answer = send_sms(method).json()
    assert isinstance(answer.pop("message_id"), int)
    assert answer == SUBMITTED


def test_answer_contains_our_uid(send_sms: Call) -> None:
    assert send_sms(uid="uid-1").json()["uid"] == "uid-1"


@pytest.mark.parametrize(
    "name",
    [
        "api_id",
        "api_password",
        "sms_type",
        "encoding",
        "sender_id",
        "phonenumber",
        "textmessage",
    ],
)
def test_missing_parameter_gets_404(send_sms: Call, name: str) -> None:
    response = send_sms(**{name: None})
    assert (response.status_code, response.json()) == (
        404,
        {"StatusCode": 404, "ReasonPhrase": "Missing Parameters"},
    )


def test_misspelt_encoding_of_the_sample_gets_404(send_sms: Call) -> None:
    assert send_sms("GET", encoding=None, **{"encodin g": "T"}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "remarks"),
    [
        ({"api_id": "API1"}, "Invalid API ID or Password"),
        ({"api_password": "wrong"}, "Invalid API ID or Password"),
        ({"sms_type": "X"}, "Invalid SMS Type"),
        ({"encoding": "P"}, "Invalid Encoding"),
        ({"phonenumber": "8613312345678,8613312345679"}, "Invalid Phone Number"),
        ({"phonenumber": "+8613312345678"}, "Invalid Phone Number"),
        ({"phonenumber": 8613312345678}, "Invalid type: phonenumber"),
        ({"textmessage": ["a"]}, "Invalid type: textmessage"),
    ],
)
def test_refusal_has_status_f_and_remarks(
    send_sms: Call, changes: dict[str, Any], remarks: str
) -> None:
    response = send_sms(**changes)
    answer = response.json()
    assert (response.status_code, answer["status"], answer["remarks"]) == (200, "F", remarks)


def test_text_beyond_the_balance_is_refused(sandbox: Sandbox, send_sms: Call) -> None:
    sandbox.change_account("haorui", balance=0)
    assert send_sms().json()["remarks"] == "Insufficient balance"


def test_delivery_is_reported_as_json_to_the_callback_url(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    number = send_sms(uid="uid-1", callback_url=receiver.url).json()["message_id"]
    assert sandbox.wait_for_pushes()
    assert receiver.received == [
        {
            "message_id": str(number),
            "PhoneNumber": "8613312345678",
            "DLRStatus": "Delivered",
            "SMSID": f"sms-{number}",
            "ErrorCode": "",
            "ErrorDescription": "",
            "uid": "uid-1",
            "ClientCost": 1,
            "Remarks": "",
        }
    ]


def test_every_configured_status_word_is_reported(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_words=["Pending", "Delivered"])
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert [report["DLRStatus"] for report in receiver.received] == ["Pending", "Delivered"]


def test_unreachable_number_is_reported(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    send_sms(phonenumber="8613312999001", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["DLRStatus"] == "Undeliverable"


def test_silent_number_is_never_reported(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    send_sms(phonenumber="8613312999003", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert receiver.received == []


def test_overlapping_calls_can_be_refused(sandbox: Sandbox, send_sms: Call) -> None:
    sandbox.change_settings("haorui", refuse_parallel=True)
    sandbox.fault("never_answers", provider="haorui")
    waiting = threading.Thread(target=_send_and_lose, args=(sandbox,))
    waiting.start()
    while sandbox.book.count("haorui", "send") == 0:
        waiting.join(0.01)
    remarks = send_sms().json()["remarks"]
    sandbox.stop()
    waiting.join()
    assert remarks == "IP not Whitelisted"


def _send_and_lose(sandbox: Sandbox) -> None:
    values = {
        "api_id": "API00000001",
        "api_password": "practice-password",
        "sms_type": "T",
        "encoding": "T",
        "sender_id": "A",
        "phonenumber": "8613312345678",
        "textmessage": "a",
    }
    try:
        requests.post(sandbox.base_url("haorui") + "/api/SendSMS", json=values, timeout=5)
    except requests.ConnectionError:
        return


def test_book_hides_id_and_password(sandbox: Sandbox, send_sms: Call) -> None:
    send_sms(uid="uid-1")
    fields = sandbox.book.entries("haorui")[0].fields
    assert fields == {
        "sms_type": "T",
        "encoding": "U",
        "sender_id": "LIASMT",
        "phonenumber": "8613312345678",
        "textmessage": "您的验证码",
        "uid": "uid-1",
    }
