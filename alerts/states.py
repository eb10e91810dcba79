"""The states of what is told, and why it is told."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.states import StateTable


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """For the worker, or for the next try."""
    SENDING = "sending"
    DELIVERED = "delivered"
    """The receiver's server accepted it."""
    FAILED = "failed"
    """No try is left."""
    UNCLEAR = "unclear"
    """The worker ended while it was being sent. It may have arrived, so it is not sent again."""


class Occasion(StrEnum):
    """Why a receiver is told something."""

    ALERT = "alert"
    AGAIN = "again"
    """It still lasts."""
    OVER = "over"
    TEST = "test"


D = DeliveryState
UNFINISHED: Final = (D.WAITING, D.SENDING)
NOT_DELIVERED: Final = (D.FAILED, D.UNCLEAR)
DELIVERY_STATES: Final = StateTable(
    {
        D.WAITING: frozenset({D.SENDING, D.FAILED}),
        D.SENDING: frozenset({D.DELIVERED, D.WAITING, D.FAILED, D.UNCLEAR}),
        # The worker was slower than expected, and told afterwards.
        D.UNCLEAR: frozenset({D.DELIVERED, D.FAILED}),
        D.DELIVERED: frozenset(),
        D.FAILED: frozenset(),
    }
)
