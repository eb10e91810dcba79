"""Which state of a batch may follow which, and what the states mean."""

from __future__ import annotations

from messaging.batches.states import BATCH_STATES, BEGUN, CHANGING, BatchState
from tests.support.state_tables import table_text, written_out


def test_states_of_a_batch_follow_each_other_like_this() -> None:
    assert written_out(BATCH_STATES) == table_text("""
    reading -> cancelled ready unreadable
    unreadable -> cancelled reading
    ready -> cancelled reading scheduled sending
    scheduled -> cancelled paused ready sending
    sending -> cancelled finished paused
    paused -> cancelled finished sending
    finished ->
    cancelled ->
    """)
    assert set(BATCH_STATES.moves) == set(BatchState)


def test_batch_has_begun_once_messages_may_have_gone_out() -> None:
    assert {"sending", "paused", "finished"} == BEGUN


def test_page_of_a_batch_looks_for_news_while_it_changes() -> None:
    assert {"reading", "scheduled", "sending", "paused"} == CHANGING
