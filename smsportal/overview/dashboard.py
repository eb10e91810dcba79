"""The dashboard: what needs attention, my day, today's figures, accounts, and first steps.

What it shows follows from permissions: who sends or rents has a day of their own, who sees figures
sees those of everybody, who reads the audit log sees its newest entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.presentation.sentences import Readings, reason_text, sentence
from core.act_sentences import Area, kinds_of
from core.admin import attention
from core.admin.charts import Sparkline
from core.models import Act
from core.people import person_name
from figures.presentation.today import VIEW as VIEW_FIGURES
from figures.presentation.today import today_context
from providers import clock
from providers.account_facts import facts_of
from providers.models import Account, Enquiry
from providers.presentation.balance_texts import balance_cell

from ..rights.roles import VIEW_AUDIT_LOG
from .my_day import has_day, my_day_context
from .running_batches import batch_lines

LOG_LINES: Final = 10
LOG_DAYS: Final = 31
NOT_LOGGED: Final = (Area.SIGN_IN, Area.SEND, Area.OTHER)
TREND_DAYS: Final = 7
TREND_SECONDS: Final = 300


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
    """What people did: reveals, exports, outcomes that were set, changes. No sign-ins or sends."""
    others = [what for area in NOT_LOGGED for what in kinds_of(area)]
    since = clock.now() - timedelta(days=LOG_DAYS)
    newest = (
        Act.objects.filter(at__gte=since)
        .exclude(what__in=others)
        .select_related("by", "personal_row")
    )
    acts = list(newest.order_by("-at", "-pk")[:LOG_LINES])
    readings = Readings.of(acts)
    return [
        {
            "at": act.at,
            "by": person_name(act.by),
            "text": sentence(act, readings),
            "reason": reason_text(act),
        }
        for act in acts
    ]


def balance_trends(accounts: Sequence[Account]) -> dict[int, Sparkline]:
    """The last available balance of each of the last days, by account.

    Kept for some minutes, since it reads a week of readings.
    """
    today, zone = timezone.localdate(), timezone.get_current_timezone_name()
    key = f"balance-trends:{today}:{zone}"
    known: dict[str, list[str | None]] | None = cache.get(key)
    if known is None:
        known = {str(one.pk): _daily_balances(one, today) for one in accounts}
        cache.set(key, known, TREND_SECONDS)
    return {
        account.pk: Sparkline(
            [None if value is None else Decimal(value) for value in values],
            threshold=account.low_balance,
        )
        for account in accounts
        if any(values := known.get(str(account.pk), []))
    }


def _daily_balances(account: Account, today: date) -> list[str | None]:
    days = [today - timedelta(days=n) for n in reversed(range(TREND_DAYS))]
    since = timezone.make_aware(datetime.combine(days[0], time.min))
    newest: dict[date, str] = {}
    readings = account.readings.filter(read_at__gte=since).order_by("-read_at")
    for read_at, available, balance in readings.values_list("read_at", "available", "balance"):
        amount = balance if available is None else available
        if amount is not None:
            newest.setdefault(timezone.localdate(read_at), str(amount))
    return [newest.get(day) for day in days]


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
