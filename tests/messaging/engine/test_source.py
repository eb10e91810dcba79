"""Messages pass through the engine to the sandbox over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from messaging.models import Message
from messaging.states import MessageState
from providers.models import ApiCall
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import CODE, TEXT, make_message
from tests.support.engine import is_settled, run_engine, send

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = [("haorui", "text"), ("haosms", "own_code"), ("otpservice", "provider_code")]


@pytest.mark.parametrize(("provider", "kind"), KINDS)
def test_message_reaches_its_provider_once(sandbox: Sandbox, provider: str, kind: str) -> None:
    message = send(make_message(make_account(provider, sandbox), kind=kind))

    assert message.state == MessageState.SUBMITTED
    (entry,) = sandbox.book.entries(provider=provider)
    assert message.provider_id == entry.message_id


@pytest.mark.parametrize(("provider", "kind"), KINDS)
def test_call_is_in_the_journal(sandbox: Sandbox, provider: str, kind: str) -> None:
    message = send(make_message(make_account(provider, sandbox), kind=kind))

    call = ApiCall.objects.get()
    assert (call.subject, call.outcome, call.http_status) == (f"message:{message.pk}", "done", 200)


def test_text_arrives_unchanged(sandbox: Sandbox) -> None:
    text = "Grüße {€}\n验证 😀 “x” & =1+1"
    message = send(make_message(make_account("haorui", sandbox), text=text))

    (entry,) = sandbox.book.entries()
    assert entry.fields["textmessage"] == text
    assert entry.fields["encoding"] == "U"
    assert entry.reference == message.reference


def test_text_carries_the_callback_url(sandbox: Sandbox) -> None:
    send(make_message(make_account("haorui", sandbox)))

    (entry,) = sandbox.book.entries()
    assert str(entry.fields["callback_url"]).startswith("http://testserver/callbacks/")


def test_own_code_uses_the_chosen_channel_and_template(sandbox: Sandbox) -> None:
    send(make_message(make_account("haosms", sandbox), kind="own_code", template="3"))

    (entry,) = sandbox.book.entries()
    sent_fields = {name: entry.fields[name] for name in ("phone", "content", "platform", "tmp_id")}
    assert sent_fields == {
        "phone": "13912345678",
        "content": CODE,
        "platform": "验证码通道1",
        "tmp_id": "3",
    }


def test_provider_code_carries_our_reference(sandbox: Sandbox) -> None:
    message = send(make_message(make_account("otpservice", sandbox), kind="provider_code"))

    (entry,) = sandbox.book.entries()
    assert (entry.reference, entry.fields["msisdn"]) == (message.reference, "8613912345678")


def test_placeholder_id_is_kept_with_a_warning(sandbox: Sandbox) -> None:
    sandbox.change_settings("otpservice", placeholder_msgid=True)
    message = send(make_message(make_account("otpservice", sandbox), kind="provider_code"))

    assert (message.state, message.provider_id, message.warnings) == ("submitted", "0", ["no_id"])


def test_every_step_records_its_time(sandbox: Sandbox) -> None:
    message = send(make_message(make_account("haorui", sandbox)))

    steps = (message.created_at, message.claimed_at, message.handed_over_at, message.answered_at)
    assert None not in steps
    assert list(steps) == sorted(steps)  # type: ignore[type-var]


def test_message_is_sent_without_a_wake_task(sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox))
    OrmQ.objects.all().delete()

    assert send(message).state == MessageState.SUBMITTED


def test_message_is_not_sent_before_its_time(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    later = make_message(account, not_before=timezone.now() + timedelta(minutes=1))
    send(make_message(account))

    later.refresh_from_db()
    assert later.state == MessageState.QUEUED


def test_many_messages_each_arrive_once(sandbox: Sandbox) -> None:
    accounts = [make_account("haorui", sandbox, in_flight=8), make_account("haorui", sandbox)]
    messages = [make_message(account, text=TEXT) for account in accounts for _ in range(20)]

    run_engine(lambda: is_settled(*messages))

    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.SUBMITTED}
    assert sandbox.book.references("haorui") == {message.reference for message in messages}
    assert sandbox.book.repeated() == []


def test_account_stays_within_its_calls_in_flight(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=2)
    sandbox.fault("slow", provider="haorui", calls=None, seconds=0.05)
    messages = [make_message(account) for _ in range(10)]

    run_engine(lambda: is_settled(*messages))

    assert sandbox.book.peak("haorui") == 2


@pytest.mark.parametrize(
    ("provider", "kind"),
    [("haorui", "own_code"), ("haosms", "text"), ("otpservice", "text"), ("gosms", "text")],
)
def test_unsupported_kind_is_refused_without_a_call(
    sandbox: Sandbox, provider: str, kind: str
) -> None:
    message = make_message(kind=kind)
    Message.objects.filter(pk=message.pk).update(account=make_account(provider, sandbox))

    sent = send(message)

    assert (sent.state, sent.reason) == ("refused", "cannot_take")
    assert sandbox.book.entries() == []


def test_channel_of_another_country_is_refused_without_a_call(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox, options={"other_channels": ["TH 中国OTP通道1"]})
    sent = send(make_message(account, kind="own_code", channel="中国OTP通道1"))

    assert (sent.state, sent.reason) == ("refused", "cannot_take")
    assert "channel" in sent.words
    assert sandbox.book.entries() == []
