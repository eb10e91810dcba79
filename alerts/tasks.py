"""Tasks of the queue. Each may run twice, be killed midway, or be left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.pruning import delete_in_chunks
from core.retention import limit_of
from providers import clock
from providers.task_leases import hold_task_lease

from . import dead_man, outbox, transport
from .evaluate import evaluate
from .models import Alarm, Delivery
from .retention_kinds import SENT_ALERTS
from .states import UNFINISHED

ALARMS_KEPT: Final = timedelta(days=30)
LEASE_SECONDS: Final = outbox.SLICE_SECONDS + transport.SECONDS + 10
"""As long as sending may take."""


def watch() -> None:
    """Every minute: look at all rules, and have sent what is due."""
    evaluate()
    outbox.settle_interrupted()
    if outbox.due(clock.now()).exists():
        outbox.queue_delivery()


def deliver() -> None:
    """Send what is due, and queue the next slice if something is left.

    One at a time, so that a receiver that hangs holds one worker and not all of them.
    """
    with hold_task_lease("alerts: deliver", LEASE_SECONDS) as lease:
        if lease is None:
            return
        is_left = outbox.deliver_some()
    if is_left:
        outbox.queue_delivery()


def ping() -> None:
    """Every minute: show that the portal watches."""
    dead_man.ping()


def prune() -> None:
    """Every night: delete old lines of the log, and what was over long ago."""
    now = clock.now()
    delete_in_chunks(Alarm.objects.filter(ended_at__lt=now - ALARMS_KEPT))
    if before := limit_of(SENT_ALERTS, now):
        old = Delivery.objects.filter(created_at__lt=before)
        delete_in_chunks(old.exclude(state__in=UNFINISHED))
