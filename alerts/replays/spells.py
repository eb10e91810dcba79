"""From when to when a rule would have found something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from providers.models import Account

from ..facts import about
from ..models import Rule

SPAN: Final = timedelta(days=7)
MOST_ROWS: Final = 100_000
"""Rows that one replay reads. If there are more, it covers less time."""


@dataclass(frozen=True, slots=True)
class Spell:
    subject: str
    name: str
    """What it is about, for people. Empty if the kind says it."""
    began: datetime
    ended: datetime | None = None
    """None: it lasts."""
    account: int | None = None

    @property
    def lasted(self) -> timedelta | None:
        return self.ended - self.began if self.ended else None


@dataclass(slots=True)
class Past:
    """The accounts of a rule, and how far back what was read of them reaches."""

    now: datetime
    accounts: list[Account]
    since: datetime

    @classmethod
    def of(cls, rule: Rule, now: datetime) -> Past:
        accounts = Account.objects.order_by("name")
        if rule.account_id is not None:
            accounts = accounts.filter(pk=rule.account_id)
        return cls(now, list(accounts), now - SPAN)

    @property
    def start(self) -> datetime:
        return self.now - SPAN

    def leave_out_before(self, moment: datetime) -> None:
        self.since = max(self.since, moment)


def of_account(account: Account, began: datetime, ended: datetime | None = None) -> Spell:
    return Spell(about(account), account.name, began, ended, account.pk)


def spells_of(like: Spell, samples: Iterable[tuple[datetime, bool]]) -> Iterator[Spell]:
    """One for each run of samples, oldest first, in which something was found."""
    began: datetime | None = None
    for at, is_found in samples:
        if is_found and began is None:
            began = at
        elif not is_found and began is not None:
            yield replace(like, began=began, ended=at)
            began = None
    if began is not None:
        yield replace(like, began=began, ended=None)


def joined(spells: Iterable[Spell], gap: timedelta) -> list[Spell]:
    """The spells with those of one subject joined that overlap, or are less than `gap` apart."""
    places: dict[str, int] = {}
    found: list[Spell] = []
    for spell in sorted(spells, key=lambda one: one.began):
        last = found[places[spell.subject]] if spell.subject in places else None
        if last is None or (last.ended is not None and spell.began - last.ended >= gap):
            places[spell.subject] = len(found)
            found.append(spell)
        elif last.ended is not None:
            ended = max(last.ended, spell.ended) if spell.ended else None
            found[places[spell.subject]] = replace(last, ended=ended)
    return found
