"""The control API and its client."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.remote import Remote, RemoteError
from sandbox.server import Sandbox

from .conftest import Ask, Receiver, Rent


def state_of(remote: Remote) -> dict[str, Any]:
    return remote.state()


def entries_of(remote: Remote, provider: str = "", after: int = 0) -> list[dict[str, Any]]:
    return remote.entries(provider, after=after)


def provider(remote: Remote, name: str) -> dict[str, Any]:
    return next(one for one in state_of(remote)["providers"] if one["name"] == name)


def test_the_state_names_every_provider(remote: Remote) -> None:
    names = {one["name"] for one in state_of(remote)["providers"]}
    assert names == {"gosms", "haorui", "haosms", "otpservice"}


def test_the_state_offers_the_faults_with_labels(remote: Remote) -> None:
    faults = {row["id"]: row["label"] for row in state_of(remote)["faults"]}
    assert faults["reset_after"] == "Cut off after the request is accepted"


def test_the_state_tells_no_secret(sandbox: Sandbox) -> None:
    text = requests.get(sandbox.url + "/_sandbox/state", timeout=5).text
    assert not {"practice-password", "ch_practice_key", "practice-haosms-key"} & set(
        text.replace('"', " ").split()
    )


def test_a_fault_can_be_set_from_outside(remote: Remote, otp_msg: Ask) -> None:
    remote.fault("html_502", provider="haosms", operation="otp_msg")
    assert otp_msg().status_code == 502


def test_a_fault_that_is_on_stands_in_the_state(remote: Remote) -> None:
    remote.fault("slow", calls=None, seconds=3)
    active = state_of(remote)["active"][0]
    assert (active["fault"], active["calls"], active["options"]) == ("slow", None, {"seconds": 3})


def test_faults_can_be_cleared_from_outside(remote: Remote, otp_msg: Ask) -> None:
    remote.fault("html_502", calls=None)
    remote.clear_faults()
    assert otp_msg().status_code == 200


@pytest.mark.parametrize("seconds", ["soon", -1, [1], None, "inf"])
def test_an_option_that_is_no_time_is_refused(remote: Remote, seconds: Any) -> None:
    with pytest.raises(RemoteError, match="seconds cannot be set"):
        remote.fault("slow", seconds=seconds)


def test_the_book_survives_half_a_character(remote: Remote, send_sms: Ask) -> None:
    send_sms(textmessage="\ud800")
    assert entries_of(remote, "haorui")[0]["fields"]["textmessage"] == "\ud800"


def test_one_fault_can_be_cleared_from_outside(remote: Remote) -> None:
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
def test_a_fault_that_makes_no_sense_is_refused_with_a_reason(
    remote: Remote, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(RemoteError) as refusal:
        remote.fault(values.pop("fault_id"), **values)
    assert str(refusal.value) == message


def test_the_book_can_be_read_from_outside(remote: Remote, send_sms: Ask) -> None:
    number = send_sms(uid="uid-1").json()["message_id"]
    entry = remote.entries("haorui", kind="call")[0]
    assert (entry["message_id"], entry["reference"]) == (str(number), "uid-1")


def test_the_book_can_be_followed(remote: Remote, otp_msg: Ask) -> None:
    otp_msg()
    seen = entries_of(remote)[-1]["number"]
    otp_msg(content="newer")
    newer = entries_of(remote, after=seen)
    assert [entry["fields"]["content"] for entry in newer] == ["newer"]


def test_a_report_can_be_pushed_from_outside(
    sandbox: Sandbox, remote: Remote, send_sms: Ask, receiver: Receiver
) -> None:
    remote.change_settings("haorui", report_delay=None)
    number = send_sms(callback_url=receiver.url).json()["message_id"]
    remote.report("haorui", str(number), "Rejected")
    assert sandbox.wait_for_pushes()
    assert receiver.received[0]["DLRStatus"] == "Rejected"


def test_an_sms_can_be_made_to_arrive_from_outside(remote: Remote, gosms: Ask, order: Rent) -> None:
    number = order()["order_id"]
    remote.deliver_sms(number, "您的验证码 9876", code="9876")
    assert gosms("GET", f"/order/{number}").json()["content"] == "您的验证码 9876"


def test_an_sms_arrives_once_only(remote: Remote, order: Rent) -> None:
    number = order()["order_id"]
    remote.deliver_sms(number, "1234")
    with pytest.raises(RemoteError, match="has its SMS already"):
        remote.deliver_sms(number, "5678")


def test_a_balance_can_be_changed_from_outside(remote: Remote, gosms: Ask) -> None:
    remote.change_account("gosms", balance="7.25")
    assert gosms("GET", "/user/balance").json()["balance"] == 7.25


def test_an_account_can_be_added_from_outside(remote: Remote, otp_msg: Ask) -> None:
    remote.add_account("haosms", "second", "another-key", balance="5")
    assert otp_msg(api_key="another-key").json()["result"] == "成功"


def test_two_accounts_cannot_share_a_login(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="has an account with that login already"):
        remote.add_account("haosms", "second", "practice-haosms-key")


def test_settings_can_be_changed_from_outside(remote: Remote) -> None:
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
def test_a_setting_that_makes_no_sense_is_refused(remote: Remote, changes: dict[str, Any]) -> None:
    with pytest.raises(RemoteError):
        remote.change_settings("gosms", **changes)


def test_a_secret_is_no_setting(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="no setting called secret"):
        remote.change_account("haorui", secret="x")


def test_clearing_forgets_orders_and_the_book(
    sandbox: Sandbox, remote: Remote, gosms: Ask, order: Rent
) -> None:
    order()
    remote.clear()
    assert (sandbox.book.entries(), gosms("GET", "/user/orders").json()["total"]) == ([], 0)


def test_a_foreign_page_cannot_post_a_plain_form(sandbox: Sandbox) -> None:
    response = requests.post(sandbox.url + "/_sandbox/clear", data={"a": 1}, timeout=5)
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["nonsense", "book?limit=x", ""])
def test_an_odd_address_is_answered(sandbox: Sandbox, path: str) -> None:
    response = requests.get(f"{sandbox.url}/_sandbox/{path}", timeout=5)
    assert "error" in response.json()


def test_a_sandbox_that_is_gone_is_named(sandbox: Sandbox) -> None:
    with Remote(sandbox.url) as remote:
        sandbox.stop()
        with pytest.raises(RemoteError, match="cannot be reached"):
            remote.state()
