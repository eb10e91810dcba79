"""The balance of an account, as every page states it.

A reading is out of date once the provider has stated another balance since, for example in a
transaction. Apps that read such statements register a function that finds the newest ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

from django.db.models import OuterRef, Subquery

from .gateway.client import Client, ReportsBalance
from .models import Account, BalanceReading


@dataclass(frozen=True, slots=True)
class LaterStatement:
    """What the provider stated after a reading that contradicts it."""

    at: datetime
    balance: Decimal | None
    """None if it only shows that the balance has changed."""


LaterStatements: TypeAlias = Callable[[Sequence[BalanceReading]], Mapping[int, LaterStatement]]
"""From the newest reading of each account to the statements that contradict it, by the account's
primary key."""

_sources: Final[list[LaterStatements]] = []


def register_later_statements(source: LaterStatements) -> None:
    """Register a source. Registering it again has no effect."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance as last read, and what is known about its age."""

    is_provided: bool
    """Whether the provider states a balance at all."""
    reading: BalanceReading | None = None
    later: LaterStatement | None = None
    low_limit: Decimal | None = None

    @property
    def amount(self) -> Decimal | None:
        return self.reading.spendable if self.reading else None

    @property
    def read_at(self) -> datetime | None:
        return self.reading.read_at if self.reading else None

    @property
    def is_awaited(self) -> bool:
        """Whether the provider states a balance that was not read yet."""
        return self.is_provided and self.reading is None

    @property
    def is_stale(self) -> bool:
        return self.later is not None

    @property
    def is_low(self) -> bool:
        """Whether the amount, as last read, is below the account's warning threshold."""
        limit, amount = self.low_limit, self.amount
        return limit is not None and amount is not None and amount < limit


def states_balance(client: type[Client] | None) -> bool:
    return client is not None and issubclass(client, ReportsBalance)


def balances_of(accounts: Iterable[Account]) -> dict[int, Balance]:
    """The balance of each account, by primary key, in a constant number of queries."""
    asked = list(accounts)
    readings = newest_readings(asked)
    later: dict[int, LaterStatement] = {}
    for source in _sources if readings else ():
        later |= source(list(readings.values()))
    return {
        account.pk: Balance(
            is_provided=states_balance(account.client) or account.pk in readings,
            reading=readings.get(account.pk),
            later=later.get(account.pk),
            low_limit=account.low_balance,
        )
        for account in asked
    }


def balance_of(account: Account) -> Balance:
    return balances_of([account])[account.pk]


def newest_readings(accounts: Iterable[Account]) -> dict[int, BalanceReading]:
    newest = BalanceReading.objects.filter(account=OuterRef("pk")).order_by("-read_at", "-pk")
    rows = Account.objects.filter(pk__in=[account.pk for account in accounts]).order_by()
    pks = rows.annotate(newest=Subquery(newest.values("pk")[:1])).values_list("newest", flat=True)
    found = BalanceReading.objects.filter(pk__in=[pk for pk in pks if pk is not None])
    return {reading.account_id: reading for reading in found}
