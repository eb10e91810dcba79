"""Queueing and cancelling a message, and waking the engine in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django_q.models import OrmQ

from core.phones.parse import parse_number
from core.secrets import DOTS
from messaging import queue_message
from messaging.engine.source import MessageSource
from messaging.models import Message
from messaging.queue_message import Draft
from messaging.states import MessageState
from providers.engine import leases
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


def make_draft(account: Account | None = None, **fields: Any) -> Draft:
    fields = {
        "kind": Message.Kind.TEXT,
        "text": "Your parcel is here.",
        "sms_kind": "T",
        "sender_id": "HAORUI",
        **fields,
    }
    return Draft(account=account or make_account(), recipient=parse_number("13912345678"), **fields)


def make_code_draft(account: Account | None = None) -> Draft:
    account = account or make_account("haosms")
    return make_draft(
        account,
        kind=Message.Kind.OWN_CODE,
        text="",
        code="482913",
        channel="验证码通道1",
        template="2",
    )


def queue(draft: Draft, by: User | None = None, form_token: str = "token") -> Message:
    message, _ = queue_message.queue(draft, by=by or make_user(), form_token=form_token)
    message.refresh_from_db()
    return message


# --- the row -----------------------------------------------------------------


def test_text_is_stored_as_it_is_sent() -> None:
    message = queue(make_draft(text="one\r\ntwo €"))
    assert (message.text, message.encoding, message.segments) == ("one\ntwo €", "gsm7", 1)
    assert message.state == MessageState.QUEUED


def test_unicode_text_is_stored_with_its_segments() -> None:
    message = queue(make_draft(text="验" * 71))
    assert (message.encoding, message.segments) == ("ucs2", 2)


def test_recipient_is_stored_as_e164_with_its_country() -> None:
    message = queue(make_draft())
    assert (message.recipient, message.country) == ("+8613912345678", "CN")


def test_reference_and_public_id_are_unique() -> None:
    one, other = make_message(), make_message()
    assert one.reference != other.reference
    assert one.public_id != other.public_id


def test_code_is_encrypted_in_the_database() -> None:
    message = queue(make_code_draft())
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM messaging_message WHERE id = %s", [message.pk])
        (stored,) = cursor.fetchone()
    assert stored
    assert "482913" not in stored


def test_text_of_a_code_message_hides_the_code() -> None:
    message = queue(make_code_draft())
    assert message.text.startswith(f"Verification code: {DOTS},")
    assert "482913" not in message.text


def test_code_is_loaded_as_a_secret() -> None:
    message = queue(make_code_draft())
    assert str(message.code) == DOTS
    assert message.code.reveal() == "482913"


def test_unknown_template_has_no_text() -> None:
    assert queue_message.text_around_code(make_account("haosms"), "99") == ""


def test_repr_of_a_draft_hides_text_and_code() -> None:
    shown = repr(replace(make_draft(text="secret words"), code="482913"))
    assert "secret words" not in shown
    assert "482913" not in shown


# --- form tokens -------------------------------------------------------------


def test_form_posted_twice_makes_one_message() -> None:
    draft, by = make_draft(), make_user()
    first, made = queue_message.queue(draft, by=by, form_token="same")
    second, made_again = queue_message.queue(draft, by=by, form_token="same")
    assert (made, made_again, second.pk) == (True, False, first.pk)
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_form_posted_by_eight_threads_makes_one_message() -> None:
    draft, by = make_draft(), make_user()

    answers = at_once(lambda: queue_message.queue(draft, by=by, form_token="same"), 8)

    assert sorted(made for _, made in answers) == [False] * 7 + [True]
    assert len({message.pk for message, _ in answers}) == 1
    assert Message.objects.count() == 1


def test_form_token_of_another_person_is_an_error() -> None:
    draft = make_draft()
    queue_message.queue(draft, by=make_user(), form_token="same")
    with pytest.raises(IntegrityError), transaction.atomic():
        queue_message.queue(draft, by=make_user(), form_token="same")


def test_two_forms_with_the_same_text_make_two_messages() -> None:
    draft, by = make_draft(), make_user()
    queue_message.queue(draft, by=by, form_token="one")
    queue_message.queue(draft, by=by, form_token="two")
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "Another text"},
        {"recipient": parse_number("13900000000")},
        {"sms_kind": "P"},
        {"sender_id": "OTHER"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_changed_text_draft_does_not_match_the_message(changed: dict[str, Any]) -> None:
    draft = make_draft()
    message = queue(draft)
    assert queue_message.matches_draft(message, draft)
    assert not queue_message.matches_draft(message, replace(draft, **changed))


@pytest.mark.parametrize("changed", [{"template": "1"}, {"channel": "another"}])
def test_changed_code_draft_does_not_match_the_message(changed: dict[str, Any]) -> None:
    draft = make_code_draft()
    assert not queue_message.matches_draft(queue(draft), replace(draft, **changed))


def test_line_ends_do_not_change_a_draft() -> None:
    draft = make_draft(text="one\ntwo")
    assert queue_message.matches_draft(queue(draft), replace(draft, text="one\r\ntwo"))


# --- waking the engine -------------------------------------------------------


def test_idle_engine_is_woken_once() -> None:
    queue(make_draft(), form_token="one")
    queue(make_draft(), form_token="two")
    assert OrmQ.objects.filter(key="engine").count() == 1


def test_running_engine_is_not_woken() -> None:
    draft = make_draft()
    leases.renew(uuid4())
    queue(draft)
    assert not OrmQ.objects.exists()


def test_rolled_back_message_does_not_wake_the_engine() -> None:
    draft, by = make_draft(), make_user()
    with transaction.atomic():
        queue_message.queue(draft, by=by, form_token="lost")
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not Message.objects.exists()


def test_message_is_not_saved_if_waking_the_engine_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> bool:
        raise RuntimeError

    monkeypatch.setattr(queue_message, "wake_engine", broken)
    with pytest.raises(RuntimeError):
        queue_message.queue(make_draft(), by=make_user(), form_token="lost")
    assert not Message.objects.exists()


# --- cancelling --------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "held", "scheduled"])
def test_pending_message_is_cancelled_with_the_persons_name(state: str) -> None:
    message, by = make_message(state=state), make_user()
    assert queue_message.cancel(message, by)
    message.refresh_from_db()
    assert (message.state, message.ended_by) == ("cancelled", by)
    assert message.ended_at is not None


@pytest.mark.parametrize("state", ["claimed", "sending", "submitted", "unknown", "cancelled"])
def test_claimed_message_cannot_be_cancelled(state: str) -> None:
    message = make_message(state=state)
    assert not queue_message.cancel(message, make_user())
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.django_db(transaction=True)
def test_concurrent_cancel_and_claim_exclude_each_other() -> None:
    message, by, source = make_message(), make_user(), MessageSource()

    def claim() -> bool:
        with transaction.atomic():
            return bool(source.claim(message.account, 1, uuid4()))

    turns = iter([lambda: queue_message.cancel(message, by), claim])
    done = at_once(lambda: next(turns)(), 2)

    message.refresh_from_db()
    assert sorted(done) == [False, True]
    assert message.state == ("claimed" if message.claim else "cancelled")
