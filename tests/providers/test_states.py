"""Which state of an enquiry, a callback or a reading of a list may follow which."""

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
def test_a_table_names_every_state(table: StateTable[Any], states: type[C]) -> None:
    assert set(table.moves) == set(states)


def test_states_of_an_enquiry_follow_each_other_like_this() -> None:
    assert written_out(ENQUIRY_STATES) == table_text("""
    queued -> claimed failed
    claimed -> answered failed queued
    answered ->
    failed ->
    """)


def test_states_of_a_callback_are_these() -> None:
    assert {str(state) for state in C} == {
        "received",
        "applied",
        "unmatched",
        "unrecognised",
        "conflict",
    }


@pytest.mark.parametrize("end", [E.ANSWERED, E.FAILED])
def test_an_enquiry_that_has_ended_is_not_asked_again(end: E) -> None:
    assert ENQUIRY_STATES.is_final(end)


@pytest.mark.parametrize("end", [R.DONE, R.FAILED])
def test_a_reading_that_has_ended_is_not_continued(end: R) -> None:
    assert READING_STATES.is_final(end)


@pytest.mark.parametrize(
    ("table", "answered"), [(ENQUIRY_STATES, E.ANSWERED), (READING_STATES, R.DONE)]
)
def test_nothing_is_answered_before_it_was_claimed(table: StateTable[Any], answered: E | R) -> None:
    with pytest.raises(ForbiddenMove):
        table.check(answered, ("queued",))


@pytest.mark.parametrize("before", list(C))
@pytest.mark.parametrize("after", list(C))
def test_a_callback_can_be_read_again_from_any_state_to_any_result(before: C, after: C) -> None:
    CALLBACK_STATES.check(after, (before,))
