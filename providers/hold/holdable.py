"""The interface between a hold and the apps: each app holds, shows and releases its own rows.

Apps register their kinds of rows in `registration.py:register_app`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.functional import Promise

from core.stored_texts import Stored, show

from ..models import Account, Hold

FROM_BEFORE: Final = "from_before"
"""Reason of a row from before a hold. Whether its call was made since is not known."""


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Rows of one kind that a person decides about together: a line of the page "What waits"."""

    key: str
    """Names the group in forms and commands, such as `batch:17` or `messages:3`."""
    icon: str
    stored_title: Stored
    account: str
    """The names of its accounts, and whose rows they are."""
    undecided: int
    oldest: datetime | None
    """When the first of them was queued."""
    newest: datetime | None
    facts: Sequence[str | Promise] = ()
    """What is known about them, in sentences."""
    settled: int = 0
    """How many of the group have been settled by what is known. The first fact says how."""
    may_send: bool = True
    """False if sending them makes no sense any more, such as codes that have expired."""
    url: str = ""
    """The list of its rows."""
    has_rows: bool = False
    """Whether its rows can be decided one by one (`Holdable.rows`)."""

    @property
    def title(self) -> str:
        return show(self.stored_title)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One row of a group that waits for a decision."""

    pk: int
    title: str | Promise
    """What it is, such as a masked number."""
    line: str | Promise
    """Its account and whose row it is."""
    at: datetime | None
    """When it was queued."""
    facts: Sequence[str | Promise] = ()
    url: str = ""


class Holdable(ABC):
    """One kind of rows whose calls must not be repeated.

    `hold` runs in the transaction that begins the hold, before the engine claims anything else.
    The others run in web processes and commands.
    """

    name: ClassVar[str]
    """As in the keys of its groups."""

    @abstractmethod
    def hold(self, hold: Hold) -> int:
        """Put on hold every row that waits now. Returns the number of rows.

        Rows of accounts in the sandbox are left out (`held_accounts`). Rows claimed by a loop but
        not marked in flight wait, too: whether their call was made since is not known.
        """

    @abstractmethod
    def groups(self, hold: Hold) -> list[HeldGroup]:
        """What this hold keeps or kept of this kind."""

    def rows(self, hold: Hold, group: str, after: int, limit: int) -> list[HeldRow]:
        """The undecided rows of a group with a key above `after`, in the order of their keys."""
        return []

    @abstractmethod
    def count_undecided(self, hold: Hold) -> int:
        """The number of rows that still wait for a decision."""

    @abstractmethod
    def settle_known(self, hold: Hold) -> int:
        """Settle rows whose past has become known. Returns the number of rows."""

    @abstractmethod
    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        """Release these rows of a group (all: None). Returns the number of rows."""

    @abstractmethod
    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        """End these rows of a group (all: None) without a call. Returns the number of rows.

        A row that may have been sent ends unknown, and never as "not sent".
        """


def held_accounts() -> QuerySet[Account]:
    """The accounts whose rows a hold keeps: all but those in the sandbox, where nothing costs."""
    found = Account.objects.all()
    return (
        found.exclude(base_url__startswith=settings.SANDBOX_URL) if settings.SANDBOX_URL else found
    )


def hold_since(moment: datetime) -> Hold | None:
    """The newest hold if it began after this moment, whether or not it has ended.

    What a row from before it would do automatically is not done: it may have been done already.
    """
    return Hold.objects.filter(started_at__gt=moment).order_by("-started_at", "-pk").first()


_holdables: dict[str, Holdable] = {}


def register(holdable: Holdable) -> None:
    _holdables[holdable.name] = holdable


def holdables() -> list[Holdable]:
    """All kinds, in the order of their names."""
    return [_holdables[name] for name in sorted(_holdables)]
