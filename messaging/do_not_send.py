"""The do-not-send list: numbers that receive nothing, neither single messages nor batches.

The list is checked when staff type a recipient, when a file is read, and again when a message is
claimed. A person who opts out while a batch runs therefore gets nothing more from it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.times import short_time
from providers import clock

from . import listeners, released
from .models import DoNotSend, Message
from .on_hold import not_on_hold
from .states import MessageState

REASON: Final = "do_not_send"
"""Reason of a message that the list stopped."""
RECENT: Final = timedelta(days=1)


def find_entry(number: str) -> DoNotSend | None:
    """Return the active entry for a number (E.164), if any."""
    return DoNotSend.objects.filter(number=number, removed_at=None).first()


def listed_numbers(numbers: Collection[str]) -> set[str]:
    """Return the numbers that are on the list."""
    entries = DoNotSend.objects.filter(number__in=numbers, removed_at=None)
    return set(entries.values_list("number", flat=True))


def refusal_text(entry: DoNotSend) -> str:
    """Return the error text for a form's number field."""
    return _(
        "This number is on the do-not-send list (%(date)s, %(reason)s). With the"
        " person's consent, remove it from the list first."
    ) % {"date": short_time(entry.added_at), "reason": entry.because}


def add(number: str, because: str, by: User) -> tuple[DoNotSend, bool]:
    """Put a number on the list and cancel its pending messages.

    If the number is listed already, return that entry, with its first reason, and False.
    """
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
    """Take a number off the list. False if it is off already."""
    active = DoNotSend.objects.filter(pk=entry.pk, removed_at=None)
    return bool(active.update(removed_at=clock.now(), removed_by_id=by.pk, removed_because=because))


def cancel_pending(*numbers: str) -> int:
    """Cancel the messages to these numbers that have not left; return how many.

    Without numbers, cancel those to recently listed numbers. A message can be written at the
    same moment as its number is listed; it is never sent, and this cancels it. A message on hold
    is left alone: it may have been sent already. It is not sent while its number is listed.
    """
    listed = DoNotSend.objects.filter(removed_at=None)
    if numbers:
        listed = listed.filter(number__in=numbers)
    else:
        listed = listed.filter(added_at__gt=clock.now() - RECENT)
    pending = (MessageState.QUEUED, MessageState.HELD, MessageState.SCHEDULED)
    rows = Message.objects.filter(not_on_hold(), recipient__in=listed.values("number"))
    with transaction.atomic():
        owners = listeners.owners_of(rows.filter(state__in=pending))
        cancelled = released.end_unsent(
            rows,
            MessageState.CANCELLED,
            pending,
            reason=REASON,
            ended_at=clock.now(),
            code="",
        )
        listeners.notify(owners)
    return cancelled
