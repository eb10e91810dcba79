"""The part above the list of transactions: totals, balance over time, the last reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.charts import Lines, Series, Slot, Threshold, day_ticks, share_between
from core.admin.charts.scales import Number
from core.templatetags.portal import amount
from core.times import full_time
from providers import clock
from providers.balances import balance_of
from providers.models import Account, BalanceReading
from providers.presentation.balance_texts import balance_cell

from ..catalogue import renting_accounts
from ..engine import list_sync_source
from ..models import Reading, Transaction
from ..presentation.timeline import type_word
from ..runway import runway

DAYS: Final = 7
DAYS_OF_TOTALS: Final = 7
"""The period of the totals, unless the reader chooses another."""
MAX_POINTS: Final = 200
IN_DAYS_FROM: Final = 72
"""Hours from which on the rest of a balance is said in days."""


@dataclass(frozen=True, slots=True)
class Total:
    account: str
    type: str
    amount: Decimal
    count: int


def totals(rows: QuerySet[Transaction]) -> list[dict[str, Any]]:
    """Totals by type, per account: the accounts' units may differ."""
    grouped = rows.order_by().values("account__name", "type")
    sums = grouped.annotate(amount=Sum("amount"), count=Count("pk"))
    by_account: dict[str, list[Total]] = {}
    for one in sums.order_by("account__name", "type"):
        total = Total(one["account__name"], type_word(one["type"]), one["amount"], one["count"])
        by_account.setdefault(total.account, []).append(total)
    return [{"account": name, "totals": rows} for name, rows in by_account.items()]


def chosen_account(request: HttpRequest) -> Account | None:
    """The account that the list is filtered by; without such a filter, the first one."""
    accounts = renting_accounts()
    account_id = request.GET.get("account__id__exact", "")
    for account in accounts:
        if str(account.pk) == account_id:
            return account
    return accounts[0] if len(accounts) == 1 or (not account_id and accounts) else None


def balance_over_time(account: Account) -> list[BalanceReading]:
    """Balance readings of the last days, thinned out evenly if there are many; the latest stays."""
    since = clock.now() - timedelta(days=DAYS)
    found = list(account.readings.filter(read_at__gt=since).order_by("read_at"))
    step = len(found) // MAX_POINTS + 1
    return found[::-1][::step][::-1]


def balance_chart(account: Account, now: datetime | None = None) -> Lines | None:
    """The available balance of the last days, with the amount below which people are warned."""
    readings = [one for one in balance_over_time(account) if one.spendable is not None]
    if not readings:
        return None
    start, end = readings[0].read_at, max(now or clock.now(), readings[-1].read_at)
    low = account.low_balance
    return Lines(
        title=_("Available balance in recent days"),
        slot_word=pgettext_lazy("column", "Time"),
        slots=[
            Slot(full_time(one.read_at), at=share_between(one.read_at, start, end))
            for one in readings
        ],
        series=[
            Series(
                pgettext_lazy("column", "Available"),
                [one.spendable for one in readings],
                is_step=True,
            )
        ],
        threshold=None if low is None else Threshold(_("Low-balance warning"), low),
        from_zero=False,
        ticks=day_ticks(start, end),
        write=stated_amount,
    )


def stated_amount(value: Number) -> str:
    return amount(Decimal(value))


def money_context(request: HttpRequest, rows: QuerySet[Transaction]) -> dict[str, Any]:
    account = chosen_account(request)
    days = 0
    if not any(request.GET.get(name) for name in ("q", "created_there_from_0")):
        # A sum over all rows takes longer with each of them.
        days = DAYS_OF_TOTALS
        rows = rows.filter(created_there__gte=clock.now() - timedelta(days=days))
    if account is None:
        return {"totals": totals(rows), "days": days}
    balance = balance_of(account)
    lasts = runway(account, balance)
    hours = round(lasts.total_seconds() / 3600) if lasts else None
    last = list_sync_source.newest_reading(account, Reading.Kind.TRANSACTIONS)
    return {
        "totals": totals(rows),
        "days": days,
        "account": account,
        "balance": balance,
        "balance_cell": balance_cell(balance),
        "chart": balance_chart(account),
        "lasts_hours": hours,
        "lasts_days": round(hours / 24) if hours is not None and hours >= IN_DAYS_FROM else None,
        "last_reading": last,
        "is_reading": last is not None and last.state in ("queued", "claimed"),
        "read_through": last is not None and last.state == "done" and not last.complete,
    }


def tab_list(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    """The tabs that the lists of transactions and findings share; one sidebar entry leads here."""
    pages = (
        ("transaction", pgettext_lazy("tab", "Transactions"), ""),
        ("finding", _("Ledger check"), "?open=open"),
    )
    items = [
        {
            "title": title,
            "link": reverse(f"admin:rentals_{model}_changelist") + query,
            "active": model == active,
            "has_permission": request.user.has_perm(f"rentals.view_{model}"),
        }
        for model, title, query in pages
    ]
    return [{"models": ["rentals.transaction", "rentals.finding"], "items": items}]
