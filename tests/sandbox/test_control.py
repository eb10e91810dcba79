"""The control API and its client."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.remote import Remote, RemoteError
from sandbox.server import Sandbox

from .conftest import Call, Receiver, RentNumber


def state_of(remote: Remote) -> dict[str, Any]:
    return remote.state()


def entries_of(remote: Remote, provider: str = "", after: int = 0) -> list[dict[str, Any]]:
    return remote.entries(provider, after=after)


def provider(remote: Remote, name: str) -> dict[str, Any]:
    return next(one for one in state_of(remote)["providers"] if one["name"] == name)


def test_state_lists_every_provider(remote: Remote) -> None:
    names = {one["name"] for one in state_of(remote)["providers"]}
    assert names == {"gosms", "haorui", "haosms", "otpservice"}


def test_state_lists_the_faults_with_labels(remote: Remote) -> None:
    faults = {row["id"]: row["label"] for row in state_of(remote)["faults"]}
    assert faults["reset_after"] == "Connection lost after the request is accepted"


def test_state_contains_no_secret(sandbox: Sandbox) -> None:
    text = requests.get(sandbox.url + "/_sandbox/state", timeout=5).text
    assert not {"practice-password", "ch_practice_key", "practice-haosms-key"} & set(
        text.replace('"', " ").split()
    )


def test_remote_can_set_a_fault(remote: Remote, otp_msg: Call) -> None:
    remote.fault("html_502", provider="haosms", operation="otp_msg")
    assert otp_msg().status_code == 502


def test_state_lists_active_faults(remote: Remote) -> None:
    remote.fault("slow", calls=None, seconds=3)
    active = state_of(remote)["active"][0]
    assert (active["fault"], active["calls"], active["options"]) == ("slow", None, {"seconds": 3})


@pytest.mark.parametrize("fault", ["html_502", "reset_before"])
def test_fault_for_first_tries_leaves_repeats_alone(
    remote: Remote, send_sms: Call, fault: str
) -> None:
    send_sms(uid="earlier")
    remote.fault(fault, provider="haorui", operation="send", first_tries=True)
    assert send_sms(uid="earlier").status_code == 200
    assert len(state_of(remote)["active"]) == 1
    try:
        assert send_sms(uid="new").status_code == 502
    except requests.ConnectionError:
        assert fault == "reset_before"
    assert not state_of(remote)["active"]
    remote.fault(fault, provider="haorui", first_tries=True)
    assert send_sms(uid="new").status_code == 200


def test_remote_can_clear_faults(remote: Remote, otp_msg: Call) -> None:
    remote.fault("html_502", calls=None)
    remote.clear_faults()
    assert otp_msg().status_code == 200


@pytest.mark.parametrize("seconds", ["soon", -1, [1], None, "inf"])
def test_option_that_is_no_duration_is_refused(remote: Remote, seconds: Any) -> None:
    with pytest.raises(RemoteError, match="seconds cannot be set"):
        remote.fault("slow", seconds=seconds)


def test_book_survives_half_a_surrogate_pair(remote: Remote, send_sms: Call) -> None:
    send_sms(textmessage="\ud800")
    assert entries_of(remote, "haorui")[0]["fields"]["textmessage"] == "\ud800"


def test_remote_can_clear_one_fault(remote: Remote) -> None:
    active: dict[str, Any] = remote.fault("html_502", calls=None)
    remote.fault("slow", calls=None)
    remote.clear_faults(active["number"])
    assert [left["fault"] for left in state_of(remote)["active"]] == ["slow"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fault_id": "nonsense"}, "There is no fault called nonsense."),
        ({"fault_id": "slow", "provider": "nobody"}, "There is no provider called nobody."),
        (
            {"fault_id": "slow", "provider": "haosms", "operation": "send"},
            "haosms has no operation send.",
        ),
        ({"fault_id": "slow", "calls": 0}, "A fault strikes at least one call."),
    ],
)
def test_invalid_fault_is_refused_with_a_reason(
    remote: Remote, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(RemoteError) as refusal:
        remote.fault(values.pop("fault_id"), **values)
    assert str(refusal.value) == message


def test_remote_can_read_the_book(remote: Remote, send_sms: Call) -> None:
    number = send_sms(uid="uid-1").json()["message_id"]
    entry = remote.entries("haorui", kind="call")[0]
    assert (entry["message_id"], entry["reference"]) == (str(number), "uid-1")


def test_remote_can_read_the_book_from_an_entry_on(remote: Remote, otp_msg: Call) -> None:
    otp_msg()
    seen = entries_of(remote)[-1]["number"]
    otp_msg(content="newer")
    newer = entries_of(remote, after=seen)
    assert [entry["fields"]["content"] for entry in newer] == ["newer"]


def test_calls_that_only_read_can_be_read_apart(
    remote: Remote, gosms: Call, send_sms: Call
) -> None:
    gosms("GET", "/user/balance")
    send_sms()
    assert [one["operation"] for one in remote.entries(polls="only")] == ["balance"]
    assert [one["operation"] for one in remote.entries(polls="without", kind="call")] == ["send"]


def test_remote_can_push_a_report(
    sandbox: Sandbox, remote: Remote, send_sms: Call, receiver: Receiver
) -> None:
    remote.change_settings("haorui", report_delay=None)
    number = send_sms(callback_url=receiver.url).json()["message_id"]
    remote.report("haorui", str(number), "Rejected")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["DLRStatus"] == "Rejected"


def test_remote_can_deliver_an_sms(remote: Remote, gosms: Call, rent_number: RentNumber) -> None:
    number = rent_number()["order_id"]
    remote.deliver_sms(number, "您的验证码 9876", code="9876")
    assert gosms("GET", f"/order/{number}").json()["content"] == "您的验证码 9876"


def test_order_receives_one_sms_only(remote: Remote, rent_number: RentNumber) -> None:
    number = rent_number()["order_id"]
    remote.deliver_sms(number, "1234")
    with pytest.raises(RemoteError, match="has its SMS already"):
        remote.deliver_sms(number, "5678")


def test_remote_can_change_a_balance(remote: Remote, gosms: Call) -> None:
    remote.change_account("gosms", balance="7.25")
    assert gosms("GET", "/user/balance").json()["balance"] == 7.25


def test_remote_can_add_an_account(remote: Remote, otp_msg: Call) -> None:
    remote.add_account("haosms", "second", "another-key", balance="5")
    assert otp_msg(api_key="another-key").json()["result"] == "成功"


def test_two_accounts_cannot_share_a_login(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="has an account with that login already"):
        remote.add_account("haosms", "second", "practice-haosms-key")


def test_remote_can_change_settings(remote: Remote) -> None:
    remote.change_settings("gosms", sms_delay=1.5, stock={"ID": 3})
    settings = provider(remote, "gosms")["settings"]
    assert (settings["sms_delay"], settings["stock"]) == (1.5, {"ID": 3})


@pytest.mark.parametrize(
    "changes",
    [
        {"nonsense": 1},
        {"sms_delay": "soon"},
        {"sms_delay": "inf"},
        {"lifetime": 1e300},
        {"lifetime": None},
        {"stock": []},
        {"prices": {"ID": "NaN"}},
        {"hide_code_when_completed": 1},
    ],
)
def test_invalid_setting_is_refused(remote: Remote, changes: dict[str, Any]) -> None:
    with pytest.raises(RemoteError):
        remote.change_settings("gosms", **changes)


def test_secret_is_not_a_setting(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="no setting called secret"):
        remote.change_account("haorui", secret="x")


def test_clear_forgets_orders_and_the_book(
    sandbox: Sandbox, remote: Remote, gosms: Call, rent_number: RentNumber
) -> None:
    rent_number()
    remote.clear()
    assert (sandbox.book.entries(), gosms("GET", "/user/orders").json()["total"]) == ([], 0)


def test_plain_form_post_is_refused(sandbox: Sandbox) -> None:
    response = requests.post(sandbox.url + "/_sandbox/clear", data={"a": 1}, timeout=5)
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["nonsense", "book?limit=x", ""])
def test_odd_address_is_answered(sandbox: Sandbox, path: str) -> None:
    response = requests.get(f"{sandbox.url}/_sandbox/{path}", timeout=5)
    assert "error" in response.json()


def test_remote_error_names_the_unreachable_sandbox(sandbox: Sandbox) -> None:
    with Remote(sandbox.url) as remote:
        sandbox.stop()
        with pytest.raises(RemoteError, match="cannot be reached"):
            remote.state()
