"""Balances and caps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from core.countries import country_name
from providers.balances import Balance
from providers.caps.used_caps import used_caps
from providers.models import Account
from rentals.runway import runway

from ..facts import Facts, Finding, about, name_of
from ..models import Rule
from ..texts import (
    BALANCE_BELOW,
    BALANCE_LOW,
    CAP_OF_ACCOUNT,
    CAP_OF_COUNTRY,
    CAP_OF_PEOPLE,
    RUNS_OUT,
)

SPENDING_WITHIN: Final = timedelta(hours=24)
LEAST_SPAN: Final = timedelta(hours=1)


def balance_below(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """Below the amount of the rule; without one, below the warning amount of each account."""
    for account in facts.accounts:
        balance = facts.balances[account.pk]
        if not rule.limit:
            if balance.is_low:
                text = BALANCE_LOW.store(account=name_of(account))
                yield Finding(about(account), text, account.pk)
        elif balance.amount is not None and balance.amount < rule.limit:
            text = BALANCE_BELOW.store(account=name_of(account), limit=rule.limit)
            yield Finding(about(account), text, account.pk)


def balance_runs_out(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """By what the provider booked, or else by how its balance fell, in the last 24 hours."""
    limit = timedelta(hours=rule.limit or 0)
    for account in facts.accounts:
        balance = facts.balances[account.pk]
        left = runway(account, balance, facts.now) or _by_readings(account, balance, facts.now)
        if left is not None and left < limit:
            text = RUNS_OUT.store(account=name_of(account), hours=rule.limit or 0)
            yield Finding(about(account), text, account.pk)


def _by_readings(account: Account, balance: Balance, now: datetime) -> timedelta | None:
    """None if the balance did not fall, or for too short a time to tell."""
    if balance.is_stale or not balance.amount or balance.amount < 0:
        return None
    since = now - SPENDING_WITHIN
    readings = [
        (row.read_at, row.spendable)
        for row in account.readings.filter(read_at__gt=since).order_by("read_at", "pk")
        if row.spendable is not None
    ]
    if not readings or now - readings[0][0] < LEAST_SPAN:
        return None
    amounts = [amount for _at, amount in readings]
    # A rise is a top-up, not a saving.
    falls = (max(old - new, Decimal(0)) for old, new in pairwise(amounts))
    spent = sum(falls, Decimal(0))
    return (now - readings[0][0]) * float(balance.amount / spent) if spent else None


def caps_nearly_used(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """Of accounts, countries and people. Who the people are stands on the page."""
    people = 0
    for scope, key, percent in used_caps(rule.limit or 0):
        if scope == "user":
            people += 1
        elif scope == "country":
            text = CAP_OF_COUNTRY.store(country=country_name(key), percent=percent)
            yield Finding(f"country:{key}", text)
        elif (account := facts.by_key.get(int(key))) is not None:
            text = CAP_OF_ACCOUNT.store(account=name_of(account), percent=percent)
            yield Finding(about(account), text, account.pk)
    if people:
        yield Finding("people", CAP_OF_PEOPLE.store(percent=rule.limit or 0, count=people))
