"""Publish what providers report to the apps above, which subscribe in `ready()`.

Subscription is needed because this app must not import the apps above it. A callback and a poll
yield the same events and reach the same subscribers.
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
    """The effect of an event, weakest first."""

    APPLIED = "applied"
    """It moved a state or confirmed it."""
    CONFLICT = "conflict"
    """It contradicts what is known; both are kept."""
    AMBIGUOUS = "ambiguous"
    """Its id names several rows, so it was applied to none of them."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event, when it arrived, and the id of the stored callback that contained it, if any."""

    account: Account
    event: Event
    at: datetime
    callback_id: int | None = None
    position: int = 0
    """The index of the event within that callback."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a subscriber found for an event. `subject` is as in the journal: `message:42`."""

    subject: str
    effect: Effect = Effect.APPLIED
    matched_by: str = "reference"
    """By our own `reference` or by the `provider_id`."""
    other: str = ""
    """A second subject, if the ids of the event name two."""
    problem: str = ""
    """Why the effect is not simply APPLIED: `shared_id` or `two_subjects`, if one of them."""


Subscriber: TypeAlias = Callable[[ReceivedEvent], Match | None]
"""Applies an event, inside a transaction. Returns None if it matches nothing in the app.

It may be called repeatedly with the same event and in any order, with the same end result."""

_subscribers: Final[dict[type[Event], list[Subscriber]]] = {}


def subscribe(kind: type[Any], subscriber: Subscriber) -> None:
    """Call `subscriber` for every event of this kind (a subclass of `Event`)."""
    subscribers = _subscribers.setdefault(kind, [])
    if subscriber not in subscribers:
        subscribers.append(subscriber)


def publish(received: ReceivedEvent) -> list[Match]:
    """Call every subscriber; returns their matches, none if no subscriber recognises the event."""
    subscribers = _subscribers.get(type(received.event), [])
    return [match for subscriber in subscribers if (match := subscriber(received)) is not None]
