"""The do-not-send list: numbers that get nothing, from a batch or one by one.

It is looked at when a recipient is typed, when a file is read, and again when a message is
taken up to be sent: whoever asks to be left alone while a batch runs is left alone.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.times import short_time

from . import listeners
from .models import DoNotSend, Message
from .states import MESSAGE_STATES, MessageState

REASON: Final = "do_not_send"
"""Of a message that was stopped by the list."""
RECENT: Final = timedelta(days=1)


def find_entry(number: str) -> DoNotSend | None:
    """The entry that holds now for this number (E.164)."""
    return DoNotSend.objects.filter(number=number, removed_at=None).first()


def listed_numbers(numbers: Collection[str]) -> set[str]:
    """Those of the numbers that are on the list."""
    entries = DoNotSend.objects.filter(number__in=numbers, removed_at=None)
    return set(entries.values_list("number", flat=True))


def refusal_text(entry: DoNotSend) -> str:
    """What the form says beside the number."""
    return _(
        "This number is on the do-not-send list (%(date)s, %(reason)s). Remove it from the list"
        " first, if the person agrees."
    ) % {"date": short_time(entry.added_at), "reason": entry.because}


def add(number: str, because: str, by: User) -> tuple[DoNotSend, bool]:
    """Put a number on the list; False where it stands there already, with its first reason."""
    try:
        with transaction.atomic():
            entry = DoNotSend.objects.create(number=number, because=because, added_by_id=by.pk)
    except IntegrityError:
        earlier = find_entry(number)
        if earlier is None:
            raise
        return earlier, False
    cancel_pending(number)
    return entry, True


def remove(entry: DoNotSend, because: str, by: User) -> bool:
    """Take a number off the list. False: somebody else did."""
    standing = DoNotSend.objects.filter(pk=entry.pk, removed_at=None)
    return bool(
        standing.update(removed_at=timezone.now(), removed_by_id=by.pk, removed_because=because)
    )


def cancel_pending(*numbers: str) -> int:
    """Messages to these numbers that have not left are cancelled, with the reason.

    Without numbers: those to what was listed lately. A message may be written at the very
    moment when its number is listed; it is never taken up, and ends here.
    """
    listed = DoNotSend.objects.filter(removed_at=None)
    if numbers:
        listed = listed.filter(number__in=numbers)
    else:
        listed = listed.filter(added_at__gt=timezone.now() - RECENT)
    waiting = (MessageState.QUEUED, MessageState.HELD, MessageState.SCHEDULED)
    rows = Message.objects.filter(recipient__in=listed.values("number"))
    with transaction.atomic():
        told = listeners.owners_of(rows.filter(state__in=waiting))
        cancelled = MESSAGE_STATES.move(
            rows,
            MessageState.CANCELLED,
            sources=waiting,
            reason=REASON,
            ended_at=timezone.now(),
            code="",
        )
        listeners.notify(told)
    return cancelled
