"""What a rule found, and the data that all rules of one evaluation share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from core.stored_texts import Stored
from providers.balances import Balance, balances_of
from providers.models import Account

_LONG_NUMBER: Final = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
"""Anything that may be a phone number."""


def name_of(account: Account) -> str:
    """The name of an account. Staff may have written a phone number into it."""
    return _LONG_NUMBER.sub("…", account.name)


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` tells one finding of a rule from another; it never has a number."""

    subject: str
    text: Stored
    account: int | None = None
    """The key of the account that it is about."""


@dataclass(frozen=True)
class Facts:
    """Read once for all rules."""

    now: datetime

    @cached_property
    def accounts(self) -> list[Account]:
        return list(Account.objects.order_by("name"))

    @cached_property
    def by_key(self) -> Mapping[int, Account]:
        return {account.pk: account for account in self.accounts}

    @cached_property
    def balances(self) -> Mapping[int, Balance]:
        return balances_of(self.accounts)


def about(account: Account) -> str:
    return f"account:{account.pk}"
