"""What the apps know about one phone number. The page of a number asks every source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from django.contrib.auth.models import AnonymousUser, User
from django.utils.safestring import SafeString

from .buttons import Text

Reader = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class NumberEvent:
    """One thing that happened with a number. `state` is a label as HTML; `url` opens the thing."""

    at: datetime
    icon: str
    state: SafeString
    text: SafeString | str
    url: str
    link: Text
    by: str = ""
    account: str = ""


class NumberSource(ABC):
    """The rows of one table about a number. Every answer is for the given reader.

    A source is asked only if the reader may ask it. `events` are the newest first, at most
    `most`, all before `before` if it is given.
    """

    key: ClassVar[str]
    title: ClassVar[Text]
    permission: ClassVar[str] = ""

    def may_ask(self, reader: Reader) -> bool:
        return reader.has_perm(self.permission)

    @abstractmethod
    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]: ...

    @abstractmethod
    def count(self, number: str, reader: Reader, most: int) -> int:
        """How many rows there are, counted up to `most`."""

    def shows_whole(self, number: str, reader: Reader) -> bool:
        """Whether the reader sees the whole number on one of these rows anyway."""
        return False


_sources: Final[dict[str, NumberSource]] = {}


def register(source: NumberSource) -> None:
    _sources[source.key] = source


def sources_for(reader: Reader) -> list[NumberSource]:
    return [one for one in _sources.values() if one.may_ask(reader)]
