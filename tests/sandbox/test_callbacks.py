"""Reports that arrive twice, late, in the wrong order or never, or whose receiver is down."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from sandbox.provider import ControlError
from sandbox.server import Sandbox

from .conftest import Call, Receiver


def words(receiver: Receiver) -> list[str]:
    return [report["DLRStatus"] for report in receiver.received]


def test_report_can_arrive_twice(sandbox: Sandbox, send_sms: Call, receiver: Receiver) -> None:
    sandbox.fault("callback_twice", provider="haorui")
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert words(receiver) == ["Delivered", "Delivered"]


def test_report_can_arrive_late(sandbox: Sandbox, send_sms: Call, receiver: Receiver) -> None:
    sandbox.fault("callback_late", seconds=0.3)
    send_sms(uid="late", callback_url=receiver.url)
    send_sms(uid="in time", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert [report["uid"] for report in receiver.received] == ["in time", "late"]


def test_reports_of_a_message_can_arrive_in_the_wrong_order(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_words=["Pending", "Delivered"])
    sandbox.fault("callback_overtaken", provider="haorui")
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert words(receiver) == ["Delivered", "Pending"]


def test_check_report_can_overtake_the_send_report(
    sandbox: Sandbox, otp: Call, receiver: Receiver
) -> None:
    sandbox.change_account("otpservice", callback_url=receiver.url)
    sandbox.fault("callback_overtaken", operation="send", provider="otpservice")
    otp("/send")
    otp("/code", sid="100", code="wrong")
    assert sandbox.wait_for_pushes()
    assert [report["TYPE"] for report in receiver.received] == ["1", "0"]


def test_report_can_be_lost(sandbox: Sandbox, send_sms: Call, receiver: Receiver) -> None:
    sandbox.fault("callback_lost")
    send_sms(callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    assert receiver.received == []


def test_push_is_recorded_with_its_answer(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    number = send_sms(callback_url=receiver.url).json()["message_id"]
    assert sandbox.wait_for_pushes()
    entry = sandbox.book.entries(kind="push")[0]
    assert (entry.message_id, entry.status) == (str(number), 200)


def test_push_to_a_stopped_receiver_is_recorded_as_failed(sandbox: Sandbox, send_sms: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = unused.getsockname()[1]
    send_sms(callback_url=f"http://127.0.0.1:{address}/callbacks")
    assert sandbox.wait_for_pushes()
    entry = sandbox.book.entries(kind="push")[0]
    assert (entry.outcome, entry.accepted) == ("failed: ConnectionRefusedError", False)


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:99999/", "ftp://", "http://[::"])
def test_push_to_an_invalid_address_is_recorded_as_failed(
    sandbox: Sandbox, send_sms: Call, url: str
) -> None:
    send_sms(callback_url=url)
    assert sandbox.wait_for_pushes()
    assert sandbox.book.entries(kind="push")[0].outcome.startswith("failed: ")


def test_report_can_be_pushed_on_request_with_any_word(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_delay=None)
    number = send_sms(callback_url=receiver.url).json()["message_id"]
    sandbox.report("haorui", number, "Teleported")
    assert sandbox.wait_for_pushes()
    assert words(receiver) == ["Teleported"]


def test_fields_of_a_report_can_be_overridden(
    sandbox: Sandbox, otp: Call, receiver: Receiver
) -> None:
    otp("/send")
    sandbox.change_account("otpservice", callback_url=receiver.url)
    sandbox.report("otpservice", "100", "ERROR", TYPE="1", CODE="500")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["MSG"] == "Internal server error"


def test_callback_url_may_have_a_query(sandbox: Sandbox, otp: Call, receiver: Receiver) -> None:
    sandbox.change_account("otpservice", callback_url=receiver.url + "?token=x")
    otp("/send")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["token"] == "x"


def test_unknown_message_cannot_be_reported(sandbox: Sandbox) -> None:
    with pytest.raises(ControlError, match="no message 1"):
        sandbox.report("haorui", "1", "Delivered")


def test_haosms_pushes_no_reports(sandbox: Sandbox) -> None:
    with pytest.raises(ControlError, match="pushes no reports"):
        sandbox.report("haosms", "1", "Delivered")


def test_stop_does_not_wait_for_later_reports(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_delay=3600.0)
    send_sms(callback_url=receiver.url)
    sandbox.stop()
    assert receiver.received == []


def test_stop_ends_every_sandbox_thread(
    sandbox: Sandbox, send_sms: Call, receiver: Receiver
) -> None:
    send_sms(callback_url=receiver.url)
    sandbox.wait_for_pushes()
    sandbox.stop()
    deadline = time.monotonic() + 5
    while _own_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _own_threads() == []


def _own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sandbox")]
