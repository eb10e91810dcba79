"""Sends what is to be told: each message by one worker, a few tries, within a bounded time."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_q.tasks import async_task

from providers import clock

from . import transport
from .message import write
from .models import Delivery
from .states import DELIVERY_STATES, DeliveryState, Occasion
from .transport import Sent

logger = logging.getLogger(__name__)

D = DeliveryState
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=10))
"""Before the second, third and fourth try. There is no fifth."""
SLICE_SECONDS: Final = 20.0
"""No further message is begun after this time, so that other tasks have their turn."""
INTERRUPTED_AFTER: Final = timedelta(minutes=3)
LONGEST_PAUSE: Final = timedelta(hours=1)
"""A message that is to wait for longer was written while a clock was wrong, so it is due."""
TOO_LATE_AFTER: Final = timedelta(hours=12)
"""A message that waited so long, since nothing was running, would only confuse."""


def due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(_is_due(now), state=D.WAITING)


def _is_due(now: datetime) -> Q:
    return Q(next_at__lte=now) | Q(next_at__gt=now + LONGEST_PAUSE)


def queue_delivery() -> None:
    async_task("alerts.tasks.deliver", task_name="alerts: deliver", save=False)


def deliver_some() -> bool:
    """Send what is due, for some seconds. Returns whether something is left."""
    until = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < until:
        delivery = _claim()
        if delivery is None:
            return False
        _deliver(delivery)
    return due(clock.now()).exists()


def settle_interrupted() -> int:
    """Note what a worker had begun to send when it ended. Such a message is not sent again."""
    now = clock.now()
    old = Q(claimed_at__lt=now - INTERRUPTED_AFTER) | Q(claimed_at__gt=now + INTERRUPTED_AFTER)
    rows = Delivery.objects.filter(old)
    return DELIVERY_STATES.move(
        rows, D.UNCLEAR, sources=(D.SENDING,), error="interrupted", ended_at=now
    )


def _claim() -> Delivery | None:
    now = clock.now()
    # One dead receiver does not delay the others: its messages come last once one has failed.
    failed = Delivery.objects.filter(receiver=OuterRef("receiver"), state=D.WAITING, tries__gt=0)
    rows = due(now).annotate(is_dead=Exists(failed))
    ordered = rows.order_by("is_dead", "tries", "next_at", "pk")
    for key in ordered.values_list("pk", flat=True)[:20]:
        claim = secrets.token_hex(16)
        row = Delivery.objects.filter(_is_due(now), pk=key)
        if DELIVERY_STATES.move(row, D.SENDING, sources=(D.WAITING,), claim=claim, claimed_at=now):
            return Delivery.objects.select_related("receiver").get(pk=key)
    return None


def _deliver(delivery: Delivery) -> None:
    receiver = delivery.receiver
    if receiver is None or not (receiver.is_on or delivery.occasion == Occasion.TEST):
        _end(delivery, D.FAILED, Sent("removed", 0.0))
    elif clock.now() - delivery.created_at > TOO_LATE_AFTER:
        _end(delivery, D.FAILED, Sent("too_late", 0.0))
    else:
        sent = transport.notify(receiver.url, *write(delivery, receiver))
        _note(delivery, sent)


def _note(delivery: Delivery, sent: Sent) -> None:
    delivery.tries += 1
    if sent.worked:
        _end(delivery, D.DELIVERED, sent)
    elif delivery.tries > len(PAUSES) or delivery.occasion == Occasion.TEST:
        _end(delivery, D.FAILED, sent)
    else:
        again = clock.now() + PAUSES[delivery.tries - 1]
        _move(delivery, D.WAITING, sent, next_at=again)


def _end(delivery: Delivery, state: DeliveryState, sent: Sent) -> None:
    _move(delivery, state, sent, ended_at=clock.now())
    if not sent.worked:
        logger.warning("An alert could not be delivered: %s (%s).", sent.error, delivery.public_id)


def _move(delivery: Delivery, state: DeliveryState, sent: Sent, **changes: datetime) -> None:
    rows = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim)
    DELIVERY_STATES.move(
        rows,
        state,
        sources=(D.SENDING,) if state is D.WAITING else (D.SENDING, D.UNCLEAR),
        tries=delivery.tries,
        error=sent.error,
        seconds=sent.seconds,
        **changes,
    )
