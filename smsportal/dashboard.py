"""The dashboard: what needs attention, my day, today's figures, accounts, and first steps.

What it shows follows from permissions: who sends or rents has a day of their own, who sees figures
sees those of everybody, who reads the audit log sees its newest entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.admin import attention
from core.admin.charts import Sparkline
from core.admin.history import log_text
from core.admin.timeline import person_name
from figures.presentation.today import VIEW as VIEW_FIGURES
from figures.presentation.today import today_context
from providers import clock
from providers.account_facts import facts_of
from providers.models import Account, BalanceReading, Enquiry
from providers.presentation.balance_texts import balance_cell

from .my_day import has_day, my_day_context
from .roles import VIEW_AUDIT_LOG
from .running_batches import batch_lines

LOG_LINES: Final = 10
TREND_DAYS: Final = 7


@dataclass(frozen=True)
class Step:
    text: Promise
    done: bool
    url: str


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    may = request.user.has_perm
    sees_all = may(VIEW_FIGURES)
    return {
        "attention_items": attention.gather(request),
        "as_of": clock.now(),
        "day": my_day_context(request) if has_day(request) and not sees_all else None,
        "today": today_context(request),
        "running": batch_lines() if sees_all and may("messaging.view_batch") else [],
        "accounts": account_rows() if may("providers.view_account") else [],
        "log": newest_log_lines() if may(VIEW_AUDIT_LOG) else [],
        "first_steps": first_steps(request),
    }


def newest_log_lines() -> list[dict[str, Any]]:
    """What people did with objects: reveals, exports, settlements, changes."""
    entries = LogEntry.objects.select_related("user").order_by("-action_time", "-pk")
    return [
        {"at": entry.action_time, "by": person_name(entry.user), "text": log_text(entry)}
        for entry in entries[:LOG_LINES]
    ]


def balance_trends(accounts: Sequence[Account]) -> dict[int, Sparkline]:
    """The available balance at each of the last days' end, by account."""
    newest: dict[int, dict[Any, Decimal]] = defaultdict(dict)
    since = clock.now() - timedelta(days=TREND_DAYS)
    rows = BalanceReading.objects.filter(account__in=accounts, read_at__gt=since)
    for reading in rows.order_by("read_at"):
        if reading.spendable is not None:
            newest[reading.account_id][timezone.localdate(reading.read_at)] = reading.spendable
    days = [timezone.localdate() - timedelta(days=n) for n in reversed(range(TREND_DAYS))]
    return {
        account.pk: Sparkline(
            [newest[account.pk].get(day) for day in days], threshold=account.low_balance
        )
        for account in accounts
        if newest.get(account.pk)
    }


def account_rows() -> list[dict[str, Any]]:
    """Every account with the facts that its list and its page state."""
    accounts = list(Account.objects.all())
    facts = facts_of(accounts)
    trends = balance_trends(accounts)
    return [
        {
            "account": account,
            "state": facts[account.pk].state,
            "balance": balance_cell(facts[account.pk].balance),
            "trend": trends.get(account.pk),
            "url": _url("admin:providers_account_change", account.public_id),
        }
        for account in accounts
    ]


def first_steps(request: HttpRequest) -> list[Step]:
    """The steps from an empty portal to the first SMS; empty once all are done."""
    if not request.user.has_perm("providers.add_account"):
        return []
    checked = Enquiry.objects.filter(state=Enquiry.State.ANSWERED).exists()
    sent = apps.get_model("messaging", "Message").objects.exists()
    steps = [
        Step(_("Add an account"), Account.objects.exists(), _url("admin:providers_account_add")),
        Step(_("Check the connection"), checked, _url("admin:providers_account_changelist")),
        Step(_("Send a test SMS"), sent, _url("admin:messaging_message_send")),
    ]
    return [] if all(step.done for step in steps) else steps


def _url(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
