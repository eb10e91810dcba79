"""Writing a message down: once, whole, and with the engine woken in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django_q.models import OrmQ

from core.phone import read
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


def a_draft(account: Account | None = None, **fields: Any) -> Draft:
    fields = {
        "kind": Message.Kind.TEXT,
        "text": "Your parcel is here.",
        "sms_kind": "T",
        "sender_id": "HAORUI",
        **fields,
    }
    return Draft(account=account or make_account(), recipient=read("13912345678"), **fields)


def a_code(account: Account | None = None) -> Draft:
    account = account or make_account("haosms")
    return a_draft(
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


def test_a_text_is_written_down_as_it_goes_out() -> None:
    message = queue(a_draft(text="one\r\ntwo €"))
    assert (message.text, message.encoding, message.segments) == ("one\ntwo €", "gsm7", 1)
    assert message.state == MessageState.QUEUED


def test_an_expensive_text_is_written_down_with_its_segments() -> None:
    message = queue(a_draft(text="验" * 71))
    assert (message.encoding, message.segments) == ("ucs2", 2)


def test_the_number_is_kept_as_e164_with_its_country() -> None:
    message = queue(a_draft())
    assert (message.recipient, message.country) == ("+8613912345678", "CN")


def test_every_message_has_a_reference_and_an_address_of_its_own() -> None:
    one, other = make_message(), make_message()
    assert one.reference != other.reference
    assert one.public_id != other.public_id


def test_a_code_is_encrypted_in_its_row() -> None:
    message = queue(a_code())
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM messaging_message WHERE id = %s", [message.pk])
        (stored,) = cursor.fetchone()
    assert stored
    assert "482913" not in stored


def test_of_a_code_only_the_text_around_it_can_be_read() -> None:
    message = queue(a_code())
    assert message.text.startswith(f"Verification code: {DOTS},")
    assert "482913" not in message.text


def test_a_code_is_given_back_as_a_secret() -> None:
    message = queue(a_code())
    assert str(message.code) == DOTS
    assert message.code.reveal() == "482913"


def test_a_template_that_nobody_knows_has_no_text() -> None:
    assert queue_message.text_around_code(make_account("haosms"), "99") == ""


def test_a_draft_shows_neither_its_text_nor_its_code() -> None:
    shown = repr(replace(a_draft(text="secret words"), code="482913"))
    assert "secret words" not in shown
    assert "482913" not in shown


# --- the same form twice -----------------------------------------------------


def test_a_form_sent_twice_makes_one_message() -> None:
    draft, by = a_draft(), make_user()
    first, made = queue_message.queue(draft, by=by, form_token="same")
    second, made_again = queue_message.queue(draft, by=by, form_token="same")
    assert (made, made_again, second.pk) == (True, False, first.pk)
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_by_eight_threads_at_once_makes_one_message() -> None:
    draft, by = a_draft(), make_user()

    answers = at_once(lambda: queue_message.queue(draft, by=by, form_token="same"), 8)

    assert sorted(made for _, made in answers) == [False] * 7 + [True]
    assert len({message.pk for message, _ in answers}) == 1
    assert Message.objects.count() == 1


def test_the_message_of_somebody_else_is_not_given_back() -> None:
    draft = a_draft()
    queue_message.queue(draft, by=make_user(), form_token="same")
    with pytest.raises(IntegrityError), transaction.atomic():
        queue_message.queue(draft, by=make_user(), form_token="same")


def test_two_forms_make_two_messages_even_with_the_same_text() -> None:
    draft, by = a_draft(), make_user()
    queue_message.queue(draft, by=by, form_token="one")
    queue_message.queue(draft, by=by, form_token="two")
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "Another text"},
        {"recipient": read("13900000000")},
        {"sms_kind": "P"},
        {"sender_id": "OTHER"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_was_changed_since_is_noticed(changed: dict[str, Any]) -> None:
    draft = a_draft()
    message = queue(draft)
    assert queue_message.matches_draft(message, draft)
    assert not queue_message.matches_draft(message, replace(draft, **changed))


@pytest.mark.parametrize("changed", [{"template": "1"}, {"channel": "another"}])
def test_what_was_changed_of_a_code_since_is_noticed(changed: dict[str, Any]) -> None:
    draft = a_code()
    assert not queue_message.matches_draft(queue(draft), replace(draft, **changed))


def test_another_line_end_is_no_change() -> None:
    draft = a_draft(text="one\ntwo")
    assert queue_message.matches_draft(queue(draft), replace(draft, text="one\r\ntwo"))


# --- waking the engine -------------------------------------------------------


def test_a_sleeping_engine_is_woken_once() -> None:
    queue(a_draft(), form_token="one")
    queue(a_draft(), form_token="two")
    assert OrmQ.objects.filter(key="engine").count() == 1


def test_an_engine_that_is_awake_is_left_alone() -> None:
    draft = a_draft()
    leases.renew(uuid4())
    queue(draft)
    assert not OrmQ.objects.exists()


def test_a_message_that_is_rolled_back_wakes_nobody() -> None:
    draft, by = a_draft(), make_user()
    with transaction.atomic():
        queue_message.queue(draft, by=by, form_token="lost")
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not Message.objects.exists()


def test_a_message_is_not_written_down_where_the_engine_cannot_be_woken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> bool:
        raise RuntimeError

    monkeypatch.setattr(queue_message, "kick_if_idle", broken)
    with pytest.raises(RuntimeError):
        queue_message.queue(a_draft(), by=make_user(), form_token="lost")
    assert not Message.objects.exists()


# --- cancelling --------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "held", "scheduled"])
def test_what_waits_can_be_cancelled_by_name(state: str) -> None:
    message, by = make_message(state=state), make_user()
    assert queue_message.cancel(message, by)
    message.refresh_from_db()
    assert (message.state, message.ended_by) == ("cancelled", by)
    assert message.ended_at is not None


@pytest.mark.parametrize("state", ["claimed", "sending", "submitted", "unknown", "cancelled"])
def test_it_is_too_late_to_cancel_what_was_taken_up(state: str) -> None:
    message = make_message(state=state)
    assert not queue_message.cancel(message, make_user())
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.django_db(transaction=True)
def test_a_message_is_either_cancelled_or_claimed_never_both() -> None:
    message, by, source = make_message(), make_user(), MessageSource()

    def claim() -> bool:
        with transaction.atomic():
            return bool(source.claim(message.account, 1, uuid4()))

    turns = iter([lambda: queue_message.cancel(message, by), claim])
    done = at_once(lambda: next(turns)(), 2)

    message.refresh_from_db()
    assert sorted(done) == [False, True]
    assert message.state == ("claimed" if message.claim else "cancelled")
