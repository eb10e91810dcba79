"""An app above that receives the events of callbacks."""

from __future__ import annotations

from collections.abc import Callable

from providers.events import Match, ReceivedEvent


class Subscriber:
    """Records every event and answers with `match`, or raises `error`."""

    def __init__(self) -> None:
        self.received: list[ReceivedEvent] = []
        self.match: Match | None = Match("message:7")
        self.error: Exception | None = None
        self.during_event: Callable[[], object] = lambda: None

    def handle(self, received: ReceivedEvent) -> Match | None:
        if self.error:
            raise self.error
        self.received.append(received)
        self.during_event()
        return self.match
