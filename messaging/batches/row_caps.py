"""The caps on the recipients of a batch, read and taken in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from providers.caps.cap import Cap, LimitReached
from providers.caps.room import Room
from providers.caps.rules import book_of_recipients
from providers.limit_texts import limit_values, setter_of
from providers.models import DailyLimit

REASONS: Final = {"number": "cap_number", "prefix": "cap_prefix", "country": "cap_country"}
"""The reason of a message that a cap stopped, by the scope of the cap."""


class RowCaps:
    """What the caps on numbers, prefixes and countries leave for the rows of one batch."""

    def __init__(self) -> None:
        self._book = book_of_recipients(DailyLimit.What.MESSAGES)
        self._room = Room()
        self._caps: dict[str, list[Cap]] = {}
        self._setters: dict[int | None, str | None] = {}

    @property
    def is_needed(self) -> bool:
        return self._book.caps_recipients

    def read(self, recipients: Iterable[tuple[str, str]], *, locked: bool = False) -> None:
        """Read what is used of the caps of these numbers and countries.

        `locked`: nobody else takes from them until the transaction ends.
        """
        if not self.is_needed:
            return
        self._caps = {
            number: self._book.recipient_caps(number, country) for number, country in recipients
        }
        caps = [cap for of_number in self._caps.values() for cap in of_number]
        if locked:
            self._room.lock(caps)
        else:
            self._room.read(caps)

    def take(self, number: str) -> LimitReached | None:
        """Take one message to this number, or say which cap refuses it."""
        return self._room.take_one(self._caps.get(number, ()))

    def save(self) -> None:
        """Write what was taken, in the transaction that locked it."""
        self._room.save()

    def values_of(self, limit: LimitReached) -> dict[str, Any]:
        rule = limit.cap.rule
        if rule not in self._setters:
            self._setters[rule] = setter_of(limit.cap)
        return limit_values(limit, self._setters[rule])
