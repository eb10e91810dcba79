"""The tables that figures count, and the columns that a figure depends on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db.models import Model

from messaging.models import Message
from messaging.states import MessageState
from otp.models import Session
from rentals.models import Order
from rentals.states import OrderState


class Source(StrEnum):
    MESSAGE = "message"
    SESSION = "session"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Table:
    """How one table is counted.

    `columns`: those that a figure depends on, apart from `created_at`.
    `on_the_way`: states that follow each other quickly and are counted as the first of them, so
    that moving between them changes no figure.
    """

    model: type[Model]
    columns: tuple[str, ...]
    on_the_way: tuple[str, ...] = ()


TABLES: Final = {
    Source.MESSAGE: Table(
        Message,
        (
            "state",
            "reason",
            "account_id",
            "country",
            "created_by_id",
            "kind",
            "segments",
            "price",
            "answered_at",
            "reported_at",
        ),
        (MessageState.QUEUED, MessageState.CLAIMED, MessageState.SENDING),
    ),
    Source.SESSION: Table(
        Session,
        ("state", "reason", "account_id", "country", "created_by_id", "sent_at", "verified_at"),
    ),
    Source.ORDER: Table(
        Order,
        (
            "state",
            "reason",
            "account_id",
            "region",
            "created_by_id",
            "price",
            "placed_at",
            "sms_at",
        ),
        (OrderState.QUEUED, OrderState.CLAIMED, OrderState.PLACING),
    ),
}
