"""Run the engine's loop in the thread of a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from messaging.models import Message
from providers.engine.loop import DEADLINES, Loop
from providers.engine.work_source import sources
from providers.gateway.http.client import Deadlines

IMPATIENT = Deadlines(connect=2.0, read=1.5, total=2.0)
"""Short deadlines for providers that do not answer."""


def run_engine(
    until: Callable[[], bool], *, at_most: float = 120.0, deadlines: Deadlines = DEADLINES
) -> None:
    """Run a loop of the engine in this thread until the condition holds."""
    deadline = time.monotonic() + at_most
    Loop(lambda: until() or time.monotonic() > deadline, deadlines).run()
    assert until(), "the engine did not get there"


def is_settled(*messages: Message) -> bool:
    """Whether no message is queued, claimed or in flight. If so, reloads them."""
    under_way = Message.objects.filter(
        pk__in=[message.pk for message in messages], state__in=("queued", "claimed", "sending")
    )
    if under_way.exists():
        return False
    for message in messages:
        message.refresh_from_db()
    return True


def send(message: Message, deadlines: Deadlines = DEADLINES) -> Message:
    """Run the engine until the message is no longer queued, claimed or in flight."""
    run_engine(lambda: is_settled(message), deadlines=deadlines)
    return message


def run_rounds(rounds: int = 3) -> None:
    """Run a few rounds of a loop. Due rows are then sent; the others stay."""
    left = count(rounds, -1)
    Loop(lambda: next(left) <= 0).run()


def run_sweeps() -> None:
    """Run a loop until every source has been swept."""
    run_rounds(len(sources()))
