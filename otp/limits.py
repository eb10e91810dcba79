"""Limits on sending codes: the gap between two codes to one number, and the caps."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from providers import daily_limits
from providers.clock import database_now
from providers.models import Account

from .models import SendGap, moment

GAP: Final = timedelta(seconds=60)
LONG_AGO: Final = moment(0)


class TooEarly(Exception):
    """The gap has not passed; the next code can go to this number in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


def take(account: Account, recipient: str, country: str, by: User | None) -> None:
    """Count one more code for this number. Raises `TooEarly` or `LimitReached`.

    Call this in the transaction that saves the code, so that both happen or neither.
    """
    take_gap(recipient)
    take_caps(account, recipient, country, by)


def take_caps(account: Account, recipient: str, country: str, by: User | None) -> None:
    """Count a code without a gap: one that a fallback account sends because the first account
    sent nothing. It is a paid call of its own. Raises `LimitReached`."""
    codes = daily_limits.What.CODES
    daily_limits.take(daily_limits.caps_of_send(account, by, codes, recipient, country))


def take_gap(recipient: str) -> None:
    """Start the gap, by the database's clock. Raises `TooEarly` if the last one has not passed.

    Of two concurrent calls, one succeeds.
    """
    SendGap.objects.get_or_create(recipient=recipient, defaults={"free_at": LONG_AGO})
    until = moment(database_now()) + GAP
    free = SendGap.objects.filter(recipient=recipient, free_at__lte=Now())
    if not free.update(free_at=until):
        raise TooEarly(max(gap_left(recipient), 1))


def clear_gap(recipient: str) -> None:
    """End the gap at once, because nothing was sent."""
    SendGap.objects.filter(recipient=recipient).update(free_at=LONG_AGO)


def gap_left(recipient: str) -> int:
    """Seconds until the next code may go to this number."""
    free_at = SendGap.objects.filter(recipient=recipient).values_list("free_at", flat=True).first()
    if free_at is None:
        return 0
    return max(math.ceil(free_at.timestamp() - database_now()), 0)


def prune() -> int:
    return SendGap.objects.filter(free_at__lte=Now()).delete()[0]


def too_early_text(early: TooEarly) -> str:
    return _(
        "The next code can be sent in %(seconds)s s. Meanwhile, ask whether the first"
        " one has arrived."
    ) % {"seconds": early.seconds}
