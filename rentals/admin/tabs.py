"""Transactions and the ledger check share one place in the sidebar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def tab_list(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    pages = (
        ("transaction", _("Transactions"), ""),
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
