"""The state and the balance of accounts. Dashboard, list, page and forms all ask here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from . import clock
from .balances import Balance, balances_of
from .gateway.vocabulary import Outcome
from .models import Account, Allowance, ApiCall


@dataclass(frozen=True, slots=True)
class AccountFacts:
    state: str
    """A state of `presentation/labels.py:ACCOUNT`."""
    balance: Balance


def facts_of(accounts: Iterable[Account]) -> dict[int, AccountFacts]:
    """The facts about each account, by primary key, in a constant number of queries."""
    asked = list(accounts)
    pks = [account.pk for account in asked]
    slowed = Allowance.objects.filter(
        account__in=pks, slow_until__gt=clock.now().timestamp()
    ).values_list("account_id", flat=True)
    worked = ApiCall.objects.filter(account=OuterRef("pk"), outcome=Outcome.DONE)
    used = Account.objects.filter(Exists(worked), pk__in=pks).order_by()
    slow_pks, used_pks = set(slowed), set(used.values_list("pk", flat=True))
    balances = balances_of(asked)
    return {
        account.pk: AccountFacts(
            _state(account, balances[account.pk], account.pk in slow_pks, account.pk in used_pks),
            balances[account.pk],
        )
        for account in asked
    }


def facts_about(account: Account) -> AccountFacts:
    return facts_of([account])[account.pk]


def _state(account: Account, balance: Balance, is_slowed: bool, has_worked: bool) -> str:
    if account.is_paused:
        return "paused"
    if is_slowed:
        return "waiting"
    if balance.is_low:
        return "low"
    if not has_worked and balance.reading is None:
        return "unchecked"
    return "active"
