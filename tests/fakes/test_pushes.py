"""Callbacks in odd writings, from the portal's callback address to the state of the message."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from messaging.models import Message
from providers import accounts
from providers.callbacks.process import process_due
from providers.models import Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .pushes import Push, failures, reports, verifications

pytestmark = pytest.mark.django_db

UID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def message(request: pytest.FixtureRequest) -> Message:
    account = make_account(provider=getattr(request, "param", "haorui"))
    return make_message(account, state="submitted", provider_id="26471304", reference=UID)


def push(message: Message, pushed: Push) -> Callback:
    """Send a callback to the address of the message's account, and process it."""
    address = accounts.callback_url(message.account)
    assert address is not None
    method, query, body, content_type = pushed
    path = "/" + address.reveal().split("/", 3)[3]
    answer = Browser().generic(method, path, body, content_type, QUERY_STRING=query)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    process_due()
    message.refresh_from_db()
    return Callback.objects.get()


@pytest.mark.parametrize("name", reports(UID))
def test_report_in_any_writing_is_applied(message: Message, name: str) -> None:
    stored = push(message, reports(UID)[name])
    assert (stored.state, stored.problem, stored.says) == ("applied", "", "delivered")
    assert (message.state, message.conflict) == ("delivered", False)


@pytest.mark.parametrize("word", failures(UID))
def test_each_word_for_failure_is_known(message: Message, word: str) -> None:
    stored = push(message, failures(UID)[word])
    assert (stored.state, message.state) == ("applied", "undelivered")


@pytest.mark.parametrize("message", ["otpservice"], indirect=True)
@pytest.mark.parametrize("name", verifications(UID))
def test_callback_of_the_otp_service_in_any_writing_is_applied(message: Message, name: str) -> None:
    stored = push(message, verifications(UID)[name])
    assert (stored.state, stored.problem) == ("applied", "")
    assert message.state == "delivered"


@pytest.mark.parametrize(
    "query",
    [
        f"uid={UID}&DLRStatus=Delivered&DLRStatus=Failed",
        f"uid={UID}&uid=ffffffffffffffffffffffffffffffff&DLRStatus=Delivered",
        f"uid={UID}&message_id=1&message_id=2&DLRStatus=Delivered",
        f"uid[]={UID}&DLRStatus=Delivered",
    ],
)
def test_report_that_says_two_things_is_not_applied(message: Message, query: str) -> None:
    assert push(message, ("GET", query, b"", "")).problem == "ambiguous"
    assert message.state == "submitted"
