"""Run the engine until orders reach the state that a test needs."""

from __future__ import annotations

from providers.engine.loop import DEADLINES
from providers.gateway.http.client import Deadlines
from rentals.models import Cancel, Order, Reading
from tests.support.engine import run_engine


def until_state(order: Order, *states: str, deadlines: Deadlines = DEADLINES) -> Order:
    """Run the engine until the order is in one of these states."""
    run_engine(
        lambda: Order.objects.filter(pk=order.pk, state__in=states).exists(), deadlines=deadlines
    )
    order.refresh_from_db()
    return order


def rent(order: Order) -> Order:
    return until_state(order, "pending", "refused", "unknown", "not_created")


def answered(cancel: Cancel) -> Cancel:
    open_ones = Cancel.objects.filter(pk=cancel.pk, state__in=("queued", "claimed", "sending"))
    run_engine(lambda: not open_ones.exists())
    cancel.refresh_from_db()
    return cancel


def read(reading: Reading) -> Reading:
    """Run the engine until the list has been read."""
    done = Reading.objects.filter(pk=reading.pk, state__in=("done", "failed"))
    run_engine(done.exists)
    reading.refresh_from_db()
    return reading
