"""Random rows of every counted table, written as they are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from django.contrib.auth.models import User

from messaging.models import Message
from messaging.states import MessageState
from otp.models import Session
from otp.states import SessionState
from providers.models import Account
from rentals.models import Order
from rentals.states import OrderState

_serial = count(1)
PRICES = (None, Decimal("0.05"), Decimal("0.3125"))


def _after(random: Random, start: datetime | None, share: float) -> datetime | None:
    if start is None or random.random() > share:
        return None
    return start + timedelta(milliseconds=random.choice((0, 400, 1000, 2500, 61_000, 5_000_000)))


def add_message(random: Random, account: Account, person: User | None, at: datetime) -> Message:
    answered = _after(random, at, 0.8)
    return Message.objects.create(
        account=account,
        kind=random.choice(list(Message.Kind)),
        recipient="+8613912345678",
        country=random.choice(("CN", "ID", "US")),
        state=random.choice(list(MessageState)),
        reason=random.choice(("", "balance", "number")),
        segments=random.randint(1, 3),
        price=random.choice(PRICES),
        created_by=person,
        created_at=at,
        answered_at=answered,
        reported_at=_after(random, answered, 0.7),
    )


def add_session(random: Random, account: Account, person: User | None, at: datetime) -> Session:
    sent = _after(random, at, 0.8)
    # Lists show an open session that is past its time as expired before the sweep has ended it.
    ends = datetime.now(UTC) + timedelta(days=1)
    return Session.objects.create(
        account=account,
        recipient="+8613912345678",
        prefix="+861391234",
        country=random.choice(("CN", "ID")),
        state=random.choice(list(SessionState)),
        reason=random.choice(("", "tries_used")),
        created_by=person,
        created_at=at,
        expires_at=ends,
        sent_at=sent,
        verified_at=_after(random, sent, 0.5),
    )


def add_order(random: Random, account: Account, person: User | None, at: datetime) -> Order:
    placed = _after(random, at, 0.8)
    return Order.objects.create(
        account=account,
        form_token=f"figures{next(_serial)}",
        project="whatsapp",
        region=random.choice(("ID", "PH")),
        state=random.choice(list(OrderState)),
        reason=random.choice(("", "no_numbers")),
        price=random.choice(PRICES),
        created_by=person,
        created_at=at,
        placed_at=placed,
        sms_at=_after(random, placed, 0.6),
    )
