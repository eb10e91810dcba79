"""Allowed moves of enquiries, callbacks and readings of lists."""

from __future__ import annotations

from typing import Any

import pytest

from core.states import ForbiddenMove, StateTable
from providers.states import CALLBACK_STATES, ENQUIRY_STATES, CallbackState, EnquiryState
from rentals.states import READING_STATES, ReadingState
from tests.support.state_tables import table_text, written_out

E = EnquiryState
R = ReadingState
C = CallbackState


@pytest.mark.parametrize(
    ("table", "states"), [(ENQUIRY_STATES, E), (CALLBACK_STATES, C), (READING_STATES, R)]
)
def test_table_contains_every_state(table: StateTable[Any], states: type[C]) -> None:
    assert set(table.moves) == set(states)


def test_enquiry_has_exactly_these_moves() -> None:
    assert written_out(ENQUIRY_STATES) == table_text("""
    queued -> claimed failed
    claimed -> answered failed queued
    answered ->
    failed ->
    """)


def test_callback_has_exactly_these_states() -> None:
    assert {str(state) for state in C} == {
        "received",
        "applied",
        "unmatched",
        "unrecognised",
        "conflict",
    }


@pytest.mark.parametrize("end", [E.ANSWERED, E.FAILED])
def test_ended_enquiry_cannot_move(end: E) -> None:
    assert ENQUIRY_STATES.is_final(end)


@pytest.mark.parametrize("end", [R.DONE, R.FAILED])
def test_ended_reading_cannot_move(end: R) -> None:
    assert READING_STATES.is_final(end)


@pytest.mark.parametrize(
    ("table", "answered"), [(ENQUIRY_STATES, E.ANSWERED), (READING_STATES, R.DONE)]
)
def test_queued_row_cannot_be_answered_unclaimed(table: StateTable[Any], answered: E | R) -> None:
    with pytest.raises(ForbiddenMove):
        table.check(answered, ("queued",))


@pytest.mark.parametrize("before", list(C))
@pytest.mark.parametrize("after", list(C))
def test_callback_can_move_from_any_state_to_any_state(before: C, after: C) -> None:
    CALLBACK_STATES.check(after, (before,))
