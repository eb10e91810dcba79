"""The switchboard: which calls a fault strikes, and how many."""

from __future__ import annotations

import pytest

from sandbox.callbacks import Timing
from sandbox.faults import CATALOGUE, Switchboard, catalogue
from sandbox.provider import ControlError
from sandbox.server import discover

discover()


def struck(board: Switchboard, provider: str = "haosms", operation: str = "otp_msg") -> str | None:
    active, _ = board.take(provider, operation)
    return active.fault.id if active else None


def test_fault_strikes_the_next_call_only() -> None:
    board = Switchboard()
    board.set("slow")
    assert [struck(board), struck(board)] == ["slow", None]


def test_fault_can_strike_a_number_of_calls() -> None:
    board = Switchboard()
    board.set("slow", calls=2)
    assert [struck(board) for _ in range(3)] == ["slow", "slow", None]


def test_fault_can_strike_all_calls() -> None:
    board = Switchboard()
    board.set("slow", calls=None)
    assert {struck(board) for _ in range(5)} == {"slow"}


def test_fault_strikes_its_provider_only() -> None:
    board = Switchboard()
    board.set("slow", provider="gosms")
    assert [struck(board), struck(board, "gosms", "balance")] == [None, "slow"]


def test_fault_strikes_its_operation_only() -> None:
    board = Switchboard()
    board.set("slow", operation="s_balance")
    assert [struck(board), struck(board, operation="s_balance")] == [None, "slow"]


def test_faults_strike_in_the_order_they_were_set() -> None:
    board = Switchboard()
    board.set("slow")
    board.set("html_502")
    assert [struck(board), struck(board)] == ["slow", "html_502"]


def test_callback_fault_and_answer_fault_strike_the_same_call() -> None:
    board = Switchboard()
    board.set("callback_twice")
    board.set("slow")
    active, timing = board.take("haorui", "send")
    assert active is not None
    assert (active.fault.id, timing) == ("slow", Timing(twice=True))


def test_one_fault_can_be_switched_off() -> None:
    board = Switchboard()
    first = board.set("slow")
    board.set("html_502")
    board.clear(first.number)
    assert struck(board) == "html_502"


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(ControlError, match="no fault called nonsense"):
        Switchboard().set("nonsense")


def test_unknown_option_is_refused() -> None:
    with pytest.raises(ControlError, match="no option colour"):
        Switchboard().set("slow", colour="red")


def test_reset_before_acceptance_cannot_accept() -> None:
    with pytest.raises(ControlError, match="accept"):
        Switchboard().set("reset_before", accept=True)


def test_every_fault_has_a_unique_label() -> None:
    labels = [row["label"] for row in catalogue()]
    assert len(set(labels)) == len(CATALOGUE)


def test_strikes_are_counted() -> None:
    board = Switchboard()
    board.set("slow", calls=None)
    struck(board)
    struck(board)
    assert board.struck["slow"] == 2
