"""Rules that the state tables of sessions and attempts must keep."""

from __future__ import annotations

import pytest

from otp.states import (
    ATTEMPT_STATES,
    ENDED,
    NOT_CHECKED,
    OPEN,
    SESSION_STATES,
    UNDER_WAY,
    AttemptState,
    SessionState,
)
from tests.support.state_tables import table_text, written_out


def test_session_states_move_only_as_listed() -> None:
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


def test_attempt_states_move_only_as_listed() -> None:
    assert written_out(ATTEMPT_STATES) == table_text("""
    queued -> claimed not_done unknown
    claimed -> queued sending unknown
    sending -> not_done queued refused right unknown wrong
    unknown -> not_done refused right wrong
    right ->
    wrong ->
    earlier ->
    refused ->
    not_done ->
    """)


def test_session_is_open_until_it_has_ended() -> None:
    assert {"verified", "failed", "expired", "cancelled"} == ENDED
    assert set(SessionState) - ENDED == OPEN


def test_check_is_under_way_until_it_has_an_outcome() -> None:
    assert {"queued", "claimed", "sending"} == UNDER_WAY


def test_refusals_unrelated_to_the_code_use_no_try() -> None:
    assert {"credentials", "account_disabled", "cannot_take"} == NOT_CHECKED


def test_every_state_is_in_its_table() -> None:
    assert set(SESSION_STATES.moves) == set(SessionState)
    assert set(ATTEMPT_STATES.moves) == set(AttemptState)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_end_states_are_final(state: SessionState) -> None:
    assert SESSION_STATES.is_final(state)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_open_sessions_can_become_verified(state: SessionState) -> None:
    assert state in SESSION_STATES.sources_of(SessionState.VERIFIED)


def test_unknown_check_is_never_queued_again() -> None:
    assert AttemptState.QUEUED not in ATTEMPT_STATES.moves[AttemptState.UNKNOWN]
