"""What the connections must know of one request, and tell of it."""

from __future__ import annotations

from dataclasses import dataclass

from .address import AddressPolicy
from .watchdog import Alarm


@dataclass(frozen=True)
class Deadlines:
    """Seconds: to connect, between two reads, and for the whole call."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 45.0


class RequestContext:
    """One request on its way: what the connections must know of it, and tell of it."""

    __slots__ = ("alarm", "begun", "fresh", "policy", "shown_target", "target")

    def __init__(self, target: str, shown_target: str, fresh: bool, alarm: Alarm) -> None:
        self.target = target
        """Path and query as they go out."""
        self.shown_target = shown_target
        """What urllib3 may put into its exceptions and logs instead."""
        self.fresh = fresh
        """A connection that has been idle for long is not good enough."""
        self.alarm = alarm
        self.policy = AddressPolicy()
        self.begun = False
        """The first byte may have left: from here on, no answer means unknown."""
