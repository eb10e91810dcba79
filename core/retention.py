"""How long each kind of data is kept. Each app registers its kinds.

Until a manager has confirmed a rule, the default of a kind applies, such as the days in the
environment. What deletes data asks `days_of` and keeps what is on legal hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.functional import Promise

Text = str | Promise
Rules = Callable[[], Mapping[str, int | None]]


def for_ever() -> int | None:
    return None


@dataclass(frozen=True)
class Part:
    """Another table whose rows go by the rule of a kind. Nothing keeps a row that is due."""

    rows: Callable[[], QuerySet[Any]]
    """The rows of which something can still go. A row that was cleared is not among them."""
    time: str
    cleared: Mapping[str, Any]

    def due(self, before: datetime) -> QuerySet[Any]:
        return self.rows().filter(**{f"{self.time}__lt": before})


@dataclass(frozen=True)
class Kind:
    """One kind of data that grows old."""

    key: str
    """It is stored, so it never changes."""
    title: Text
    stays: Text
    """What is left of a row, in a sentence."""
    rows: Callable[[], QuerySet[Any]]
    """The rows of which something can still go."""
    time: str
    """The column from which their age counts."""
    default: Callable[[], int | None] = for_ever
    """The days that apply without a rule. None: for ever."""
    proposed: int | None = None
    """What the page proposes where nothing applies."""
    least: int = 1
    most: int = 3650
    number: str = ""
    """The column of the number that a row is about, for legal holds."""
    cleared: Mapping[str, Any] = field(default_factory=dict)
    """What the columns become that go. Empty: another task deletes the rows."""
    also: Sequence[Part] = ()

    def due(self, before: datetime) -> QuerySet[Any]:
        return self.rows().filter(**{f"{self.time}__lt": before})


_kinds: Final[dict[str, Kind]] = {}
_rules: Final[list[Rules]] = []


def register(kind: Kind) -> None:
    _kinds[kind.key] = kind


def kinds() -> list[Kind]:
    return list(_kinds.values())


def find(key: str) -> Kind | None:
    return _kinds.get(key)


def register_rules(rules: Rules) -> None:
    """Register who knows the confirmed rules: days by the key of a kind."""
    _rules.append(rules)


def days_of(key: str) -> int | None:
    """For how many days this kind of data is kept. None: for ever."""
    for rules in _rules:
        known = rules()
        if key in known:
            return known[key]
    return _kinds[key].default()


def limit_of(key: str, now: datetime) -> datetime | None:
    """Older data of this kind goes. None: nothing goes."""
    days = days_of(key)
    return None if days is None else now - timedelta(days=days)
