"""Tasks of the queue. Each may run twice, be killed midway, or be left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from providers import clock

from . import chain
from .models import ChainCheck
from .seal_acts import seal_all

EVERY: Final = timedelta(hours=24)


def seal() -> None:
    """Every minute: seal what waits, and check the whole chain once a day."""
    seal_all()
    check()


def check() -> bool:
    """Go on with a check that has not ended, or begin the daily one. False if none is due."""
    newest = ChainCheck.objects.order_by("-begun_at", "-pk").first()
    if newest is not None and newest.ended_at is not None:
        if clock.now() - newest.begun_at < EVERY:
            return False
        newest = None
    chain.go_on(newest or ChainCheck.objects.create())
    return True
