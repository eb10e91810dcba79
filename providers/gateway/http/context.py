"""The state of one request that the connection reads and updates."""

from __future__ import annotations

from dataclasses import dataclass

from .address import AddressPolicy
from .watchdog import Alarm


@dataclass(frozen=True)
class Deadlines:
    """Time limits in seconds: to connect, between two reads, and for the whole call."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 45.0


class RequestContext:
    """One request in progress. The connection reads it and sets `begun`."""

    __slots__ = ("alarm", "begun", "policy", "redacted_target", "require_recent", "target")

    def __init__(
        self, target: str, redacted_target: str, require_recent: bool, alarm: Alarm
    ) -> None:
        self.target = target
        """Path and query as they are sent."""
        self.redacted_target = redacted_target
        """The redacted path, which urllib3 may put into its exceptions and logs."""
        self.require_recent = require_recent
        """Whether a connection that has been idle for long must not be used."""
        self.alarm = alarm
        self.policy = AddressPolicy()
        self.begun = False
        """Whether the first byte may have been sent. After that, no answer means unknown."""
