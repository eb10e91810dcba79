"""What no session and no try may do."""

from __future__ import annotations

import pytest

from otp.states import (
    ATTEMPT_STATES,
    ENDS,
    NOT_LOOKED_AT,
    OPEN,
    SESSION_STATES,
    UNDER_WAY,
    AttemptState,
    SessionState,
)
from tests.support.state_tables import table_text, written_out


def test_states_of_a_session_follow_each_other_like_this() -> None:
    assert written_out(SESSION_STATES) == table_text("""
    pending -> cancelled check_unknown expired failed send_unknown sent verified
    send_unknown -> cancelled check_unknown expired failed pending sent verified
    sent -> cancelled check_unknown expired failed pending verified
    check_unknown -> cancelled expired failed pending sent verified
    verified ->
    failed ->
    expired ->
    cancelled ->
    """)


def test_states_of_a_try_follow_each_other_like_this() -> None:
    assert written_out(ATTEMPT_STATES) == table_text("""
    queued -> claimed not_done
    claimed -> queued sending
    sending -> not_done queued refused right unknown wrong
    unknown -> right wrong
    right ->
    wrong ->
    earlier ->
    refused ->
    not_done ->
    """)


def test_session_is_open_until_it_has_ended() -> None:
    assert {"verified", "failed", "expired", "cancelled"} == ENDS
    assert set(SessionState) - ENDS == OPEN


def test_check_is_under_way_until_its_outcome_is_known_or_given_up() -> None:
    assert {"queued", "claimed", "sending"} == UNDER_WAY


def test_check_that_nobody_looked_at_costs_no_try() -> None:
    assert {"credentials", "account_disabled", "cannot_take"} == NOT_LOOKED_AT


def test_every_state_stands_in_its_table() -> None:
    assert set(SESSION_STATES.moves) == set(SessionState)
    assert set(ATTEMPT_STATES.moves) == set(AttemptState)


@pytest.mark.parametrize("state", sorted(ENDS))
def test_nothing_comes_back_from_an_end(state: SessionState) -> None:
    assert SESSION_STATES.is_final(state)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_right_code_verifies_as_long_as_the_session_is_open(state: SessionState) -> None:
    assert state in SESSION_STATES.sources_of(SessionState.VERIFIED)


def test_a_check_of_unknown_outcome_is_never_queued_again() -> None:
    assert AttemptState.QUEUED not in ATTEMPT_STATES.moves[AttemptState.UNKNOWN]
