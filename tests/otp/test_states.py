"""Rules that the state tables of sessions and attempts must keep."""

from __future__ import annotations

import pytest

from otp.states import ATTEMPT_STATES, ENDED, OPEN, SESSION_STATES, AttemptState, SessionState


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
