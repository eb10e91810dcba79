"""The practice HAORUI against its document."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox

from .conftest import Ask, Receiver

SUBMITTED = {"status": "S", "remarks": "Message Submitted Sucessfully", "uid": None}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_accepts_a_text_and_numbers_it(send_sms: Ask, method: str) -> None:
    answer = send_sms(method).json()
    assert isinstance(answer.pop("message_id"), int)
    assert answer == SUBMITTED


def test_it_gives_our_uid_back(send_sms: Ask) -> None:
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
def test_it_answers_404_to_a_missing_parameter(send_sms: Ask, name: str) -> None:
    response = send_sms(**{name: None})
    assert (response.status_code, response.json()) == (
        404,
        {"StatusCode": 404, "ReasonPhrase": "Missing Parameters"},
    )


def test_it_answers_404_to_the_samples_misspelt_encoding(send_sms: Ask) -> None:
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
def test_it_refuses_with_status_f_and_remarks(
    send_sms: Ask, changes: dict[str, Any], remarks: str
) -> None:
    response = send_sms(**changes)
    answer = response.json()
    assert (response.status_code, answer["status"], answer["remarks"]) == (200, "F", remarks)


def test_it_refuses_when_the_balance_is_used_up(sandbox: Sandbox, send_sms: Ask) -> None:
    sandbox.change_account("haorui", balance=0)
    assert send_sms().json()["remarks"] == "Insufficient balance"


def test_it_reports_delivery_as_json_to_the_callback_url(
    sandbox: Sandbox, send_sms: Ask, receiver: Receiver
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


def test_it_reports_every_word_it_is_set_to(
    sandbox: Sandbox, send_sms: Ask, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_words=["Pending", "Delivered"])
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert [report["DLRStatus"] for report in receiver.received] == ["Pending", "Delivered"]


def test_it_reports_an_unreachable_number(
    sandbox: Sandbox, send_sms: Ask, receiver: Receiver
) -> None:
    send_sms(phonenumber="8613312999001", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["DLRStatus"] == "Undeliverable"


def test_it_stays_silent_about_a_number_that_is_set_to_be(
    sandbox: Sandbox, send_sms: Ask, receiver: Receiver
) -> None:
    send_sms(phonenumber="8613312999003", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert receiver.received == []


def test_it_can_refuse_calls_that_overlap(sandbox: Sandbox, send_sms: Ask) -> None:
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


def test_its_book_hides_id_and_password(sandbox: Sandbox, send_sms: Ask) -> None:
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
