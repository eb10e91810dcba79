"""Web processes call no provider: every page works while sockets are blocked."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import Message
from providers.models import Account, Enquiry
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.admin.account_form_data import PROVIDERS, form_data, stored_form_data
from tests.support.signed_in import browser_of, member

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def browser() -> Client:
    return browser_of(member("manager"))


@pytest.fixture(autouse=True)
def blocked_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block all new connections. The database connection is already open."""
    request.getfixturevalue("db")

    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("A web process opened a connection.")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


def test_blocked_socket_raises() -> None:
    with (
        socket.socket() as one,
        pytest.raises(AssertionError, match="opened a connection"),
    ):
        one.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_creating_and_changing_an_account_makes_no_call(browser: Client, provider: str) -> None:
    url = reverse("admin:providers_account_add")
    assert browser.post(f"{url}?provider={provider}", form_data(provider)).status_code == 302
    account = Account.objects.get()
    page = reverse("admin:providers_account_change", args=[account.public_id])
    assert browser.get(page).status_code == 200
    assert browser.post(page, stored_form_data(account, name="another")).status_code == 302


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", ["check", "balance"])
def test_requesting_a_check_or_a_balance_makes_no_call(
    browser: Client, provider: str, kind: str
) -> None:
    account = make_account(provider)
    url = reverse("admin:providers_account_check", args=[account.public_id])
    assert browser.post(url, {kind: "1"}, follow=True).status_code == 200
    assert Enquiry.objects.filter(account=account).exists()


@pytest.mark.parametrize(
    ("provider", "page"),
    [
        ("haorui", "messaging_message"),
        ("haorui", "otp_session"),
        ("haosms", "otp_session"),
        ("otpservice", "otp_session"),
    ],
)
def test_sending_and_viewing_a_message_makes_no_call(
    browser: Client, provider: str, page: str
) -> None:
    account = make_account(provider)
    send = reverse(f"admin:{page}_send")
    form = {
        "account": account.public_id,
        "recipient": "139 1234 5678",
        "form_token": "token",
        "text": "Your parcel is here.",
        "sms_kind": "T",
        "sender_id": "HAORUI",
        "channel": "验证码通道1",
        "template": "2" if provider == "haosms" else "en",
        "maker": "made",
        "length": "6",
        "minutes": "10",
    }
    assert browser.get(send).status_code == 200
    assert browser.post(reverse(f"admin:{page}_preview"), form).status_code == 200
    assert browser.post(send, form).status_code == 302
    message = Message.objects.get()
    for name in ("change", "live"):
        url = reverse(f"admin:messaging_message_{name}", args=[message.public_id])
        assert browser.get(url).status_code == 200


def test_acting_on_a_message_makes_no_call(browser: Client) -> None:
    for state, action, data in (
        ("queued", "cancel", {}),
        ("held", "release", {}),
        ("unknown", "settle", {"outcome": "sent", "reason": "has"}),
        ("unknown", "again", {"form_token": "again"}),
    ):
        message = make_message(state=state)
        url = reverse(f"admin:messaging_message_{action}", args=[message.public_id])
        assert browser.post(url, data).status_code == 302


@pytest.mark.parametrize(
    "name",
    [
        "index",
        "banner",
        "messaging_message_changelist",
        "providers_account_changelist",
        "providers_apicall_changelist",
    ],
)
def test_viewing_lists_makes_no_call(browser: Client, name: str) -> None:
    make_message()
    assert browser.get(reverse(f"admin:{name}")).status_code in (200, 204)
