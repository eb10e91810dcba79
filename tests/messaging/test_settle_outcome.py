"""Settling an unknown outcome, and sending a message again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from core.stored_texts import from_staff
from messaging import settle_outcome
from messaging.models import Message
from messaging.recipients import InvalidRecipient
from messaging.states import MessageState
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

SETTLEMENTS = [(settle_outcome.mark_sent, "submitted"), (settle_outcome.mark_not_sent, "not_sent")]


@pytest.mark.parametrize(("settle", "state"), SETTLEMENTS)
def test_settlement_records_person_and_reason(settle: Callable[..., bool], state: str) -> None:
    message, by = make_message(state="unknown"), make_user()
    assert settle(message, by, "Verified in the provider's console")
    message.refresh_from_db()
    assert (message.state, message.settled_by) == (state, by)
    assert message.settled_because == "Verified in the provider's console"
    assert message.settled_at is not None


@pytest.mark.parametrize(("settle", "state"), SETTLEMENTS)
def test_second_settlement_changes_nothing(settle: Callable[..., bool], state: str) -> None:
    message, first = make_message(state="unknown"), make_user()
    settle(message, first, "first")
    assert not settle_outcome.mark_sent(message, make_user(), from_staff("second"))
    assert not settle_outcome.mark_not_sent(message, make_user(), from_staff("second"))
    message.refresh_from_db()
    assert (message.state, message.settled_because) == (state, "first")


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_settlements_counts() -> None:
    message, by = make_message(state="unknown"), make_user()
    settlements = iter([settle_outcome.mark_sent, settle_outcome.mark_not_sent])
    why = from_staff("why")
    done = at_once(lambda: next(settlements)(message, by, why), 2)
    assert sorted(done) == [False, True]


@pytest.mark.parametrize("state", [s for s in MessageState if s != MessageState.UNKNOWN])
def test_only_an_unknown_outcome_can_be_settled(state: MessageState) -> None:
    message = make_message(state=state)
    assert not settle_outcome.mark_sent(message, make_user(), from_staff("why"))
    message.refresh_from_db()
    assert message.state == state


# --- sending again -----------------------------------------------------------


def test_send_again_makes_a_linked_copy() -> None:
    old, by = make_message(state="unknown", text="验" * 80), make_user()
    new, made = settle_outcome.send_again(old, by, "token-again")
    new.refresh_from_db()
    assert made
    assert (new.state, new.sent_again_from, new.created_by) == ("queued", old, by)
    assert (new.text, new.recipient, new.segments) == (old.text, old.recipient, 2)
    assert new.reference != old.reference


def test_send_again_leaves_the_old_message_unchanged() -> None:
    old = make_message(state="unknown")
    settle_outcome.send_again(old, make_user(), "token-again")
    old.refresh_from_db()
    assert (old.state, old.settled_at) == ("unknown", None)


def test_one_form_sends_again_once() -> None:
    old, by = make_message(state="undelivered"), make_user()
    first, _ = settle_outcome.send_again(old, by, "token-again")
    second, made = settle_outcome.send_again(old, by, "token-again")
    assert (second.pk, made) == (first.pk, False)
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_concurrent_posts_of_one_form_send_again_once() -> None:
    old, by = make_message(state="undelivered"), make_user()
    answers = at_once(lambda: settle_outcome.send_again(old, by, "token-again"), 4)
    assert sorted(made for _, made in answers) == [False] * 3 + [True]


def test_form_token_of_another_message_is_an_error() -> None:
    by = make_user()
    settle_outcome.send_again(make_message(state="undelivered"), by, "token-again")
    with pytest.raises((ValueError, IntegrityError)):
        settle_outcome.send_again(make_message(state="undelivered"), by, "token-again")


def test_form_token_of_another_person_is_an_error() -> None:
    one, another = make_message(state="undelivered"), make_message(state="undelivered")
    settle_outcome.send_again(one, make_user(), "token-again")
    with pytest.raises((ValueError, IntegrityError)):
        settle_outcome.send_again(another, make_user(), "token-again")


def test_second_person_gets_the_message_already_sent_again() -> None:
    old = make_message(state="undelivered")
    first, made = settle_outcome.send_again(old, make_user(), "token of one")
    second, made_too = settle_outcome.send_again(old, make_user(), "token of another")
    assert (first, made, made_too) == (second, True, False)


def test_message_can_be_sent_again_after_a_refused_copy() -> None:
    old = make_message(state="undelivered")
    first, _ = settle_outcome.send_again(old, make_user(), "one")
    Message.objects.filter(pk=first.pk).update(state="refused")
    assert settle_outcome.send_again(old, make_user(), "two")[1]


def test_send_again_refuses_a_country_no_longer_allowed() -> None:
    old = make_message(state="undelivered")
    old.account.allowed_countries = ["ID"]
    with pytest.raises(InvalidRecipient):
        settle_outcome.send_again(old, make_user(), "token")


def test_send_again_requires_a_form_token() -> None:
    with pytest.raises(ValueError):
        settle_outcome.send_again(make_message(state="undelivered"), make_user(), "")


def test_own_code_cannot_be_sent_again() -> None:
    old = make_message(make_account("haosms"), kind="own_code", state="unknown")
    with pytest.raises(ValueError):
        settle_outcome.send_again(old, make_user(), "token-again")


@pytest.mark.parametrize(
    "state", ["scheduled", "held", "queued", "claimed", "sending", "in_transit", "delivered"]
)
def test_pending_or_delivered_message_cannot_be_sent_again(state: str) -> None:
    with pytest.raises(ValueError):
        settle_outcome.send_again(make_message(state=state), make_user(), "token-again")


def test_preset_reasons_are_complete() -> None:
    assert set(settle_outcome.SETTLE_REASONS) == {"has", "has_not", "console"}
