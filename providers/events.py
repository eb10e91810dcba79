"""Who hears what providers tell of their own accord. Apps subscribe in `ready()`.

News goes up by subscription, since this app knows none of those above it. A callback and
a poll yield the same events and end in the same handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from .gateway.events import Event
from .models import Account


class Effect(StrEnum):
    """What became of an event, weakest first."""

    APPLIED = "applied"
    """It moved a state, or confirmed what was known."""
    CONFLICT = "conflict"
    """It contradicts what is known; kept beside it."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """`at` is when it reached us; `callback_id` is the stored request it stands in, if any."""

    account: Account
    event: Event
    at: datetime
    callback_id: int | None = None
    position: int = 0
    """Which of the events in that request."""


@dataclass(frozen=True, slots=True)
class Match:
    """A subscriber found what the event is about: `subject` as in the journal, `message:42`."""

    subject: str
    effect: Effect = Effect.APPLIED
    matched_by: str = "reference"
    """`reference` is ours, `provider_id` theirs."""


Subscriber: TypeAlias = Callable[[ReceivedEvent], Match | None]
"""Returns None where nothing of this app is meant. May be called again with the same news,
and in any order: it must come to the same end. Runs inside a transaction."""

_subscribers: Final[dict[type[Event], list[Subscriber]]] = {}


def subscribe(kind: type[Any], subscriber: Subscriber) -> None:
    """Hear every event of this kind (a subclass of `Event`)."""
    heard_by = _subscribers.setdefault(kind, [])
    if subscriber not in heard_by:
        heard_by.append(subscriber)


def publish(news: ReceivedEvent) -> list[Match]:
    """Tell everybody who wants to know; what nobody claims comes back empty."""
    heard_by = _subscribers.get(type(news.event), [])
    return [heard for subscriber in heard_by if (heard := subscriber(news)) is not None]
