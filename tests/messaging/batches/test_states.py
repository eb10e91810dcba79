"""The allowed moves between batch states, and the groups of states."""

from __future__ import annotations

from messaging.batches.states import BATCH_STATES, BEGUN, CHANGING, BatchState
from tests.support.state_tables import table_text, written_out


def test_batch_states_move_only_as_listed() -> None:
    assert written_out(BATCH_STATES) == table_text("""
    reading -> cancelled ready unreadable
    unreadable -> cancelled reading
    ready -> awaiting_approval cancelled reading scheduled sending
    awaiting_approval -> cancelled ready rejected
    rejected -> cancelled reading
    scheduled -> cancelled paused ready sending
    sending -> cancelled finished paused
    paused -> awaiting_approval cancelled finished scheduled sending
    finished ->
    cancelled ->
    """)
    assert set(BATCH_STATES.moves) == set(BatchState)


def test_batch_has_begun_once_messages_may_have_been_sent() -> None:
    assert {"sending", "paused", "finished"} == BEGUN


def test_changing_states_are_those_whose_page_polls() -> None:
    assert {"reading", "awaiting_approval", "scheduled", "sending", "paused"} == CHANGING
