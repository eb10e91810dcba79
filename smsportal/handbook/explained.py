"""Which page of the handbook explains a page of the portal."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from . import shelf

EXPLAINED: Final[dict[str, str]] = {
    "messaging_message_send": "staff/send",
    "messaging_template_": "staff/send",
    "messaging_batch_": "staff/batches",
    "messaging_donotsend_": "staff/batches",
    "messaging_message_settle": "staff/unknown-outcomes",
    "messaging_message_": "staff/states",
    "messaging_message_changelist": "staff/find",
    "otp_session_": "staff/codes",
    "rentals_order_": "staff/rent",
    "rentals_order_settle": "staff/unknown-outcomes",
    "rentals_project_": "managers/accounts",
    "rentals_region_": "managers/accounts",
    "rentals_transaction_": "managers/ledger",
    "rentals_finding_": "managers/ledger",
    "search": "staff/find",
    "number": "staff/find",
    "figures": "staff/figures",
    "my_exports": "staff/exports",
    "approvals": "staff/approvals",
    "approval": "staff/approvals",
    "approval_": "staff/approvals",
    "providers_approval_": "staff/approvals",
    "approval_limits": "managers/approvals",
    "money_words": "staff/money",
    "providers_account_": "managers/accounts",
    "providers_callback_": "managers/accounts",
    "providers_apicall_": "staff/reasons",
    "providers_dailylimit_": "managers/caps",
    "providers_capexemption_": "managers/caps",
    "auth_user_": "managers/people",
    "factor_rules": "managers/people",
    "auth_group_": "managers/rights",
    "scoreboard": "managers/scoreboard",
    "privacy": "managers/privacy",
    "privacy_": "managers/privacy",
    "audit_entry_": "managers/audit",
    "auditlog_": "managers/audit",
    "hold": "operators/backup",
    "hold_": "operators/backup",
    "hosts": "operators/hosts",
    "django_q_": "operators/monitoring",
    "alerts": "managers/alerts",
    "alerts_": "managers/alerts",
}
"""By the name of an address, or the beginning of names, which ends in “_”. The longest fits."""


def page_that_explains(url_name: str) -> str | None:
    fitting = [key for key in EXPLAINED if url_name == key or _begins(url_name, key)]
    return EXPLAINED[max(fitting, key=len)] if fitting else None


def _begins(url_name: str, key: str) -> bool:
    return key.endswith("_") and url_name.startswith(key)


def shelf_language() -> str:
    """The language of the handbook for the reader."""
    return "zh-hans" if (get_language() or "").startswith("zh") else "en"


def handbook_context(request: HttpRequest) -> dict[str, Any]:
    """`handbook_leaf`: the page that explains the page that is shown, or nothing."""

    def leaf() -> shelf.Leaf | str:
        match = request.resolver_match
        name = page_that_explains(match.url_name or "") if match else None
        return shelf.leaves(shelf_language()).get(name or "", "")

    return {"handbook_leaf": SimpleLazyObject(leaf)}
