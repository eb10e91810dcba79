"""The dashboard: what needs attention, account balances, and first steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.admin import attention
from providers import clock
from providers.account_facts import facts_of
from providers.models import Account, Enquiry
from providers.presentation.balance_texts import balance_cell


@dataclass(frozen=True)
class Step:
    text: Promise
    done: bool
    url: str


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    may_see_accounts = request.user.has_perm("providers.view_account")
    return {
        "attention_items": attention.gather(request),
        "as_of": clock.now(),
        "accounts": account_rows() if may_see_accounts else [],
        "first_steps": first_steps(request),
    }


def account_rows() -> list[dict[str, Any]]:
    """Every account with the facts that its list and its page state."""
    accounts = list(Account.objects.all())
    facts = facts_of(accounts)
    return [
        {
            "account": account,
            "state": facts[account.pk].state,
            "balance": balance_cell(facts[account.pk].balance),
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
