"""How many paid calls have an unknown outcome that staff have not settled, by account."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from messaging.models import Message
from messaging.states import MessageState
from otp.models import Session
from otp.states import SessionState
from rentals.models import Order
from rentals.states import OrderState


def unknown_outcomes() -> Iterator[tuple[str, int, int]]:
    """The kind (`message`, `provider_code` or `rent`), the key of the account, and the count."""
    sources = (
        ("message", Message.objects.filter(state=MessageState.UNKNOWN)),
        ("provider_code", Session.objects.filter(state=SessionState.SEND_UNKNOWN)),
        ("rent", Order.objects.filter(state=OrderState.UNKNOWN)),
    )
    for kind, rows in sources:
        for account, count in rows.order_by().values_list("account").annotate(Count("pk")):
            yield kind, account, count
