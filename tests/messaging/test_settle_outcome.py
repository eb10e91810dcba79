"""What a person decides about an unknown outcome, and sending again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from messaging import settle_outcome
from messaging.models import Message
from messaging.recipients import InvalidRecipient
from messaging.states import MessageState
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

DECISIONS = [(settle_outcome.mark_sent, "submitted"), (settle_outcome.mark_not_sent, "not_sent")]


@pytest.mark.parametrize(("decide", "state"), DECISIONS)
def test_a_person_settles_it_with_a_name_and_a_reason(
    decide: Callable[..., bool], state: str
) -> None:
    message, by = make_message(state="unknown"), make_user()
    assert decide(message, by, "Seen in the provider's console")
    message.refresh_from_db()
    assert (message.state, message.settled_by) == (state, by)
    assert message.settled_because == "Seen in the provider's console"
    assert message.settled_at is not None


@pytest.mark.parametrize(("decide", "state"), DECISIONS)
def test_whoever_comes_second_finds_it_settled(decide: Callable[..., bool], state: str) -> None:
    message, first = make_message(state="unknown"), make_user()
    decide(message, first, "first")
    assert not settle_outcome.mark_sent(message, make_user(), "second")
    assert not settle_outcome.mark_not_sent(message, make_user(), "second")
    message.refresh_from_db()
    assert (message.state, message.settled_because) == (state, "first")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_does() -> None:
    message, by = make_message(state="unknown"), make_user()
    decisions = iter([settle_outcome.mark_sent, settle_outcome.mark_not_sent])
    assert sorted(at_once(lambda: next(decisions)(message, by, "why"), 2)) == [False, True]


@pytest.mark.parametrize("state", [s for s in MessageState if s != MessageState.UNKNOWN])
def test_only_an_unknown_outcome_is_settled(state: MessageState) -> None:
    message = make_message(state=state)
    assert not settle_outcome.mark_sent(message, make_user(), "why")
    message.refresh_from_db()
    assert message.state == state


# --- sending again -----------------------------------------------------------


def test_a_message_sent_again_is_a_new_one_linked_to_the_old() -> None:
    old, by = make_message(state="unknown", text="验" * 80), make_user()
    new, made = settle_outcome.send_again(old, by, "token-again")
    new.refresh_from_db()
    assert made
    assert (new.state, new.sent_again_from, new.created_by) == ("queued", old, by)
    assert (new.text, new.recipient, new.segments) == (old.text, old.recipient, 2)
    assert new.reference != old.reference


def test_the_old_message_stays_as_it_was() -> None:
    old = make_message(state="unknown")
    settle_outcome.send_again(old, make_user(), "token-again")
    old.refresh_from_db()
    assert (old.state, old.settled_at) == ("unknown", None)


def test_the_same_form_sends_again_once() -> None:
    old, by = make_message(state="undelivered"), make_user()
    first, _ = settle_outcome.send_again(old, by, "token-again")
    second, made = settle_outcome.send_again(old, by, "token-again")
    assert (second.pk, made) == (first.pk, False)
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_form_at_the_same_time_sends_again_once() -> None:
    old, by = make_message(state="undelivered"), make_user()
    answers = at_once(lambda: settle_outcome.send_again(old, by, "token-again"), 4)
    assert sorted(made for _, made in answers) == [False] * 3 + [True]


def test_the_token_of_another_message_does_not_pass_for_this_one() -> None:
    by = make_user()
    settle_outcome.send_again(make_message(state="undelivered"), by, "token-again")
    with pytest.raises((ValueError, IntegrityError)):
        settle_outcome.send_again(make_message(state="undelivered"), by, "token-again")


def test_the_token_of_somebody_else_gives_nothing_away() -> None:
    one, another = make_message(state="undelivered"), make_message(state="undelivered")
    settle_outcome.send_again(one, make_user(), "token-again")
    with pytest.raises((ValueError, IntegrityError)):
        settle_outcome.send_again(another, make_user(), "token-again")


def test_of_several_people_one_sends_and_the_others_are_shown_that_message() -> None:
    old = make_message(state="undelivered")
    first, made = settle_outcome.send_again(old, make_user(), "token of one")
    second, made_too = settle_outcome.send_again(old, make_user(), "token of another")
    assert (first, made, made_too) == (second, True, False)


def test_what_was_sent_again_in_vain_may_be_sent_again_once_more() -> None:
    old = make_message(state="undelivered")
    first, _ = settle_outcome.send_again(old, make_user(), "one")
    Message.objects.filter(pk=first.pk).update(state="refused")
    assert settle_outcome.send_again(old, make_user(), "two")[1]


def test_a_country_that_is_no_longer_allowed_is_not_sent_to_again() -> None:
    old = make_message(state="undelivered")
    old.account.allowed_countries = ["ID"]
    with pytest.raises(InvalidRecipient):
        settle_outcome.send_again(old, make_user(), "token")


def test_without_a_token_nothing_is_sent_again() -> None:
    with pytest.raises(ValueError):
        settle_outcome.send_again(make_message(state="undelivered"), make_user(), "")


def test_a_code_of_ours_is_not_sent_again_since_it_is_not_kept() -> None:
    old = make_message(make_account("haosms"), kind="own_code", state="unknown")
    with pytest.raises(ValueError):
        settle_outcome.send_again(old, make_user(), "token-again")


@pytest.mark.parametrize(
    "state", ["scheduled", "held", "queued", "claimed", "sending", "in_transit", "delivered"]
)
def test_what_waits_or_has_arrived_is_not_sent_again(state: str) -> None:
    with pytest.raises(ValueError):
        settle_outcome.send_again(make_message(state=state), make_user(), "token-again")


def test_each_decision_has_its_presets() -> None:
    assert set(settle_outcome.SETTLE_REASONS) == {"has", "has_not", "console"}
