"""The engine's loop, run in the thread of a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from messaging.models import Message
from providers.engine.loop import DEADLINES, Loop
from providers.engine.work_source import sources
from providers.gateway.http.client import Deadlines

IMPATIENT = Deadlines(connect=2.0, read=1.5, total=2.0)
"""For providers that do not answer."""


def run_engine(
    until: Callable[[], bool], *, at_most: float = 120.0, deadlines: Deadlines = DEADLINES
) -> None:
    """Run a loop of the engine in this thread until something holds."""
    deadline = time.monotonic() + at_most
    Loop(lambda: until() or time.monotonic() > deadline, deadlines).run()
    assert until(), "the engine did not get there"


def is_settled(*messages: Message) -> bool:
    """Whether none of them waits or is under way any more; reads them anew."""
    under_way = Message.objects.filter(
        pk__in=[message.pk for message in messages], state__in=("queued", "claimed", "sending")
    )
    if under_way.exists():
        return False
    for message in messages:
        message.refresh_from_db()
    return True


def send(message: Message, deadlines: Deadlines = DEADLINES) -> Message:
    """Let the engine take a message as far as it gets."""
    run_engine(lambda: is_settled(message), deadlines=deadlines)
    return message


def run_rounds(rounds: int = 3) -> None:
    """Let a loop look for work a few times: what is due is then sent, what is not is left."""
    left = count(rounds, -1)
    Loop(lambda: next(left) <= 0).run()


def run_sweeps() -> None:
    """Let a loop look for work until each kind of it was swept."""
    run_rounds(len(sources()))
