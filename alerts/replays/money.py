"""Balances, by the readings that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from django.db.models.functions import Coalesce

from providers.models import Account

from ..models import Rule
from ..watches.money import LEAST_SPAN, SPENDING_WITHIN
from .spells import MOST_ROWS, Past, Spell, of_account, spells_of

MOST_READINGS: Final = 5_000
"""Of one account: more than one every two minutes. Many accounts share `MOST_ROWS`."""

Reading = tuple[datetime, Decimal]


def balance_below(rule: Rule, past: Past) -> Iterator[Spell]:
    for account in past.accounts:
        limit = rule.limit or account.low_balance
        if limit is None:
            continue
        readings = _readings(account, past.start, past)
        samples = [(max(at, past.start), amount < limit) for at, amount in readings]
        yield from spells_of(of_account(account, past.now), samples)


def balance_runs_out(rule: Rule, past: Past) -> Iterator[Spell]:
    """By how the balance fell, at each reading."""
    limit = timedelta(hours=rule.limit or 0)
    for account in past.accounts:
        readings = _readings(account, past.start - SPENDING_WITHIN, past)
        left = _time_left(readings)
        samples = [(at, span is not None and span < limit) for at, span in left if at > past.start]
        yield from spells_of(of_account(account, past.now), samples)


def _readings(account: Account, since: datetime, past: Past) -> list[Reading]:
    """Those since then, and the one before, oldest first."""
    rows = account.readings.filter(read_at__lte=past.now).order_by("-read_at", "-pk")
    read = rows.values_list("read_at", Coalesce("available", "balance"))
    most = min(MOST_READINGS, max(MOST_ROWS // len(past.accounts), 1))
    recent = list(read.filter(read_at__gt=since)[:most])
    if len(recent) == most:
        past.leave_out_before(recent[-1][0])
    else:
        recent += read.filter(read_at__lte=since)[:1]
    return [(at, amount) for at, amount in reversed(recent) if amount is not None]


def _time_left(readings: list[Reading]) -> Iterator[tuple[datetime, timedelta | None]]:
    """How long the balance would have lasted at each reading. None: not known then."""
    spent = [Decimal(0)]
    for (_at, old), (_then, new) in pairwise(readings):
        # A rise is a top-up, not a saving.
        spent.append(spent[-1] + max(old - new, Decimal(0)))
    first = 0
    for number, (at, amount) in enumerate(readings):
        while readings[first][0] <= at - SPENDING_WITHIN:
            first += 1
        took, used = at - readings[first][0], spent[number] - spent[first]
        known = took >= LEAST_SPAN and used > 0 and amount > 0
        yield at, took * float(amount / used) if known else None
