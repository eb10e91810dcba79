"""What the sandbox says arrived on each phone."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox import credentials
from sandbox.remote import Remote, RemoteError
from sandbox.server import Sandbox

from .conftest import Call, Receiver, RentNumber


def phones(remote: Remote, **query: int) -> dict[str, Any]:
    return remote.phones(**query)


def bubbles(remote: Remote, **query: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = phones(remote, **query)["chosen"]["bubbles"]
    return found


def test_no_phone_before_the_first_message(remote: Remote) -> None:
    assert phones(remote) == {"total": 0, "phones": [], "chosen": None}


def test_one_phone_has_the_texts_of_all_providers(
    sandbox: Sandbox, remote: Remote, send_sms: Call, otp_msg: Call, session: requests.Session
) -> None:
    sandbox.change_settings("otpservice", fixed_code="731905")
    send_sms(phonenumber="8613912345678", textmessage="a text")
    otp_msg(phone="13912345678", content="482913")
    query = {
        "username": credentials.OTPSERVICE_USERNAME,
        "password": credentials.OTPSERVICE_PASSWORD,
        "msisdn": "8613912345678",
        "eid": "one",
    }
    session.get(sandbox.base_url("otpservice") + "/send", params=query, timeout=5)
    assert [phone["number"] for phone in phones(remote)["phones"]] == ["+8613912345678"]
    assert [bubble["text"] for bubble in bubbles(remote)] == ["731905", "482913", "a text"]


def test_refused_message_reaches_no_phone(remote: Remote, otp_msg: Call) -> None:
    otp_msg(phone="13912999001")
    assert phones(remote)["total"] == 0


def test_message_whose_answer_was_lost_reaches_its_phone(remote: Remote, send_sms: Call) -> None:
    remote.fault("reset_after", provider="haorui")
    with pytest.raises(requests.ConnectionError):
        send_sms()
    (bubble,) = bubbles(remote)
    assert bubble["fault"] == "reset_after"


def test_phones_are_sorted_by_their_newest_text(remote: Remote, send_sms: Call) -> None:
    for phone in ("8613312345671", "8613312345672", "8613312345671"):
        send_sms(phonenumber=phone)
    found = phones(remote)["phones"]
    assert [(one["number"][-1], one["count"]) for one in found] == [("1", 2), ("2", 1)]


def test_answer_is_limited(remote: Remote, send_sms: Call) -> None:
    for last in range(4):
        send_sms(phonenumber=f"861331234567{last}")
    answer = phones(remote, limit=2)
    assert (answer["total"], len(answer["phones"])) == (4, 2)


def test_phone_is_chosen_by_any_of_its_entries(remote: Remote, send_sms: Call) -> None:
    send_sms(phonenumber="8613312345671", textmessage="older")
    entry = bubbles(remote)[0]["entry"]
    send_sms(phonenumber="8613312345671", textmessage="newer")
    send_sms(phonenumber="8613312345672")
    assert [bubble["text"] for bubble in bubbles(remote, entry=entry)] == ["newer", "older"]


def test_bubble_has_its_reports_in_order(
    sandbox: Sandbox, remote: Remote, send_sms: Call, receiver: Receiver
) -> None:
    remote.change_settings("haorui", report_words=["Accepted", "Delivered"])
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    reports = bubbles(remote)[0]["reports"]
    assert [(report["word"], report["taken"]) for report in reports] == [
        ("Accepted", True),
        ("Delivered", True),
    ]


def test_delayed_report_is_announced_and_not_sent_yet(
    remote: Remote, send_sms: Call, receiver: Receiver
) -> None:
    remote.change_settings("haorui", report_delay=None)
    number = send_sms(callback_url=receiver.url).json()["message_id"]
    assert bubbles(remote)[0]["due_in"] is None
    remote.report("haorui", str(number), "Delivered", delay=60)
    assert 50 < bubbles(remote)[0]["due_in"] <= 60
    assert not receiver.received


@pytest.mark.parametrize("delay", [-1, 1e9, float("nan")])
def test_delay_out_of_range_is_refused(remote: Remote, send_sms: Call, delay: float) -> None:
    number = send_sms(callback_url="http://127.0.0.1:9/").json()["message_id"]
    with pytest.raises(RemoteError, match="delay is at most"):
        remote.report("haorui", str(number), "Delivered", delay=delay)


def test_rented_number_takes_one_sms(remote: Remote, rent_number: RentNumber) -> None:
    order = rent_number()
    (bubble,) = bubbles(remote)
    assert (bubble["kind"], bubble["takes_sms"]) == ("order", True)
    remote.deliver_sms(order["order_id"], "您的验证码 9876")
    sms, rented = bubbles(remote)
    assert (sms["kind"], sms["text"], rented["takes_sms"]) == ("sms", "您的验证码 9876", False)
    assert phones(remote)["phones"][0]["number"].lstrip("+") == order["phone"].lstrip("+")
