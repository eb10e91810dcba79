"""The state tables of orders, cancels and readings, and the groups of states."""

from __future__ import annotations

from rentals.states import (
    BEING_PLACED,
    CANCEL_OPEN,
    CANCEL_STATES,
    ENDED_WHILE_PENDING,
    FROM_PROVIDER,
    OPEN,
    ORDER_STATES,
    READING_STATES,
    STATED,
    SUPERSEDED,
    CancelState,
    OrderState,
    ReadingState,
)
from tests.support.state_tables import table_text, written_out

LATE = "pending received refused stale"
"""Where an answer leads that comes after the call was given up."""


def test_moves_of_an_order() -> None:
    assert written_out(ORDER_STATES) == table_text(f"""
    held -> cancelled completed expired pending queued received unknown
    awaiting_approval -> cancelled held not_created queued rejected
    queued -> cancelled claimed held not_created refused unknown
    claimed -> held placing queued
    placing -> cancelled completed expired not_created pending queued received refused unknown
    unknown -> cancelled completed expired expired_unconfirmed not_created {LATE}
    not_created -> cancelled completed expired pending received
    pending -> cancelled completed expired expired_unconfirmed received stale
    received -> completed
    cancelled -> completed received
    expired -> completed received
    expired_unconfirmed -> cancelled completed expired received
    stale -> cancelled completed expired received
    completed ->
    refused ->
    rejected ->
    """)


def test_moves_of_a_cancel() -> None:
    assert written_out(CANCEL_STATES) == table_text("""
    queued -> claimed not_done refused unclear
    claimed -> queued sending unclear
    sending -> accepted not_done queued refused unclear
    unclear -> accepted not_done refused
    accepted ->
    refused ->
    not_done ->
    """)


def test_moves_of_a_reading() -> None:
    assert written_out(READING_STATES) == table_text("""
    queued -> claimed failed
    claimed -> done failed queued
    done ->
    failed ->
    """)


def test_tables_name_every_state() -> None:
    assert set(ORDER_STATES.moves) == set(OrderState)
    assert set(CANCEL_STATES.moves) == set(CancelState)
    assert set(READING_STATES.moves) == set(ReadingState)


def test_unknown_order_is_never_placed_again() -> None:
    reachable, fresh = {OrderState.UNKNOWN}, {OrderState.UNKNOWN}
    while fresh:
        fresh = set().union(*(ORDER_STATES.moves[state] for state in fresh)) - reachable
        reachable |= fresh
    assert not reachable & BEING_PLACED


def test_states_of_the_provider_map_to_those_of_an_existing_order() -> None:
    assert {str(theirs): str(ours) for theirs, ours in FROM_PROVIDER.items()} == {
        "pending": "pending",
        "received": "received",
        "completed": "completed",
        "cancelled": "cancelled",
        "expired": "expired",
    }
    assert set(FROM_PROVIDER.values()) == STATED


def test_superseded_states() -> None:
    assert {
        "received": {"pending"},
        "completed": {"pending", "received"},
        "cancelled": {"pending"},
        "expired": {"pending"},
    } == SUPERSEDED
    assert {"expired_unconfirmed", "stale"} == ENDED_WHILE_PENDING


def test_groups_of_open_states() -> None:
    assert {"queued", "claimed", "placing"} == BEING_PLACED
    waiting = {"held", "awaiting_approval", "queued", "claimed", "placing"}
    assert waiting | {"pending", "unknown"} == OPEN
    assert {"queued", "claimed", "sending"} == CANCEL_OPEN
