"""What no session and no try may do."""

from __future__ import annotations

import pytest

from otp.states import ATTEMPT_STATES, ENDED, OPEN, SESSION_STATES, AttemptState, SessionState


def test_every_state_stands_in_its_table() -> None:
    assert set(SESSION_STATES.moves) == set(SessionState)
    assert set(ATTEMPT_STATES.moves) == set(AttemptState)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_comes_back_from_an_end(state: SessionState) -> None:
    assert SESSION_STATES.is_final(state)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_right_code_verifies_as_long_as_the_session_is_open(state: SessionState) -> None:
    assert state in SESSION_STATES.sources_of(SessionState.VERIFIED)


def test_a_check_of_unknown_outcome_is_never_queued_again() -> None:
    assert AttemptState.QUEUED not in ATTEMPT_STATES.moves[AttemptState.UNKNOWN]
