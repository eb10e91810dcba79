"""Allowed and forbidden moves between the states of a message, pair by pair."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction

from core.states import ForbiddenMove
from messaging.models import Message
from messaging.states import MESSAGE_STATES, NEVER_LEFT, REPORTS, WAITING, MessageState
from providers.gateway.vocabulary import DeliveryState
from tests.factories.messages import make_message

S = MessageState

REPORTED = {
    S.SUBMITTED,
    S.IN_TRANSIT,
    S.DELIVERED,
    S.UNDELIVERED,
    S.REJECTED,
    S.EXPIRED,
}
ALLOWED = {
    S.SCHEDULED: {S.QUEUED, S.HELD, S.CANCELLED, S.UNKNOWN} | REPORTED,
    S.HELD: {S.QUEUED, S.CANCELLED, S.UNKNOWN} | REPORTED,
    S.QUEUED: {S.CLAIMED, S.HELD, S.CANCELLED, S.NOT_SENT, S.UNKNOWN} | REPORTED,
    S.CLAIMED: {S.SENDING, S.QUEUED, S.HELD} | REPORTED,
    S.SENDING: {
        S.SUBMITTED,
        S.REFUSED,
        S.UNKNOWN,
        S.QUEUED,
        S.NOT_SENT,
        S.IN_TRANSIT,
        S.DELIVERED,
        S.UNDELIVERED,
        S.REJECTED,
        S.EXPIRED,
    },
    S.SUBMITTED: {S.IN_TRANSIT, S.DELIVERED, S.UNDELIVERED, S.REJECTED, S.EXPIRED},
    S.UNKNOWN: {
        S.SUBMITTED,
        S.NOT_SENT,
        S.REFUSED,
        S.IN_TRANSIT,
        S.DELIVERED,
        S.UNDELIVERED,
        S.REJECTED,
        S.EXPIRED,
    },
    S.NOT_SENT: {
        S.SUBMITTED,
        S.IN_TRANSIT,
        S.DELIVERED,
        S.UNDELIVERED,
        S.REJECTED,
        S.EXPIRED,
    },
    S.IN_TRANSIT: {S.DELIVERED, S.UNDELIVERED, S.REJECTED, S.EXPIRED},
    S.EXPIRED: {S.UNDELIVERED, S.REJECTED, S.DELIVERED},
    S.UNDELIVERED: {S.REJECTED, S.DELIVERED},
    S.REJECTED: {S.DELIVERED},
    S.DELIVERED: set(),
    S.REFUSED: set(),
    S.CANCELLED: set(),
}
PAIRS = list(itertools.product(S, S))


def test_stored_words_never_change() -> None:
    assert {str(state) for state in S} == {
        "scheduled",
        "held",
        "queued",
        "claimed",
        "sending",
        "submitted",
        "in_transit",
        "delivered",
        "undelivered",
        "rejected",
        "expired",
        "refused",
        "unknown",
        "not_sent",
        "cancelled",
    }


def test_table_has_every_state() -> None:
    assert set(MESSAGE_STATES.moves) == set(S)


@pytest.mark.parametrize(("source", "target"), [(a, b) for a, b in PAIRS if b in ALLOWED[a]])
def test_allowed_move_passes(source: S, target: S) -> None:
    moved = MESSAGE_STATES.move(Message.objects.none(), target, sources=(source,))
    assert moved == 0


@pytest.mark.parametrize(("source", "target"), [(a, b) for a, b in PAIRS if b not in ALLOWED[a]])
def test_forbidden_move_is_an_error(source: S, target: S) -> None:
    with pytest.raises(ForbiddenMove):
        MESSAGE_STATES.move(Message.objects.none(), target, sources=(source,))


def test_only_states_before_a_possible_send_return_to_the_queue() -> None:
    assert MESSAGE_STATES.sources_of(S.QUEUED) == {S.SCHEDULED, S.HELD, S.CLAIMED, S.SENDING}


def test_unknown_never_leads_to_another_call() -> None:
    reachable, fresh = {S.UNKNOWN}, {S.UNKNOWN}
    while fresh:
        fresh = set().union(*(MESSAGE_STATES.moves[state] for state in fresh)) - reachable
        reachable |= fresh
    assert not reachable & {S.QUEUED, S.CLAIMED, S.SENDING}


def test_reports_have_a_total_order() -> None:
    order = [word for word in DeliveryState if word in {str(state) for state in REPORTS}]
    weakest_first = [S(word) for word in order]
    for lower, higher in itertools.combinations(weakest_first, 2):
        assert higher in MESSAGE_STATES.moves[lower]
        assert lower not in MESSAGE_STATES.moves[higher]


def test_waiting_states_are_as_listed() -> None:
    assert {"scheduled", "held", "queued", "claimed", "sending"} == WAITING


def test_states_that_never_left_are_as_listed() -> None:
    assert {"cancelled", "not_sent", "refused"} == NEVER_LEFT


def test_no_final_state_is_waiting() -> None:
    assert not [state for state in WAITING if MESSAGE_STATES.is_final(state)]


@pytest.mark.django_db
def test_database_refuses_an_unknown_state() -> None:
    message = make_message()
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="sent")
