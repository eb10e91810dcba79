"""Accounts and callbacks that need attention, for the dashboard and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item
from core.admin.labels import Role

from ..error_texts import explain
from ..models import Account, Callback

NEEDS_ATTENTION: Final = (Callback.State.UNMATCHED, Callback.State.CONFLICT)
MAX_COUNTED: Final = 100


def callback_badge(request: HttpRequest) -> int:
    """The number of unmatched and conflicting callbacks, counted up to `MAX_COUNTED`."""
    rows = Callback.objects.filter(state__in=NEEDS_ATTENTION)
    return rows.order_by()[:MAX_COUNTED].count()


def callback_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """One item for each state that needs attention, linked to the list filtered by it."""
    if not request.user.has_perm("providers.view_callback"):
        return
    address = reverse("admin:providers_callback_changelist")
    state = Callback.State
    count = Callback.objects.filter(state=state.UNMATCHED).count()
    text = ngettext("%(count)d unmatched callback", "%(count)d unmatched callbacks", count)
    yield from counted_item(count, text, f"{address}?state={state.UNMATCHED}", "webhook")
    count = Callback.objects.filter(state=state.CONFLICT).count()
    text = ngettext(
        "%(count)d conflicting callback",
        "%(count)d conflicting callbacks",
        count,
    )
    yield from counted_item(count, text, f"{address}?state={state.CONFLICT}", "webhook")


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """One item for each paused account, with the reason of the pause."""
    if not request.user.has_perm("providers.view_account"):
        return
    for account in Account.objects.exclude(paused_at=None):
        text = _("%(account)s is paused: %(reason)s") % {
            "account": account.name,
            "reason": explain(account.pause_reason, words=account.pause_words).title,
        }
        url = reverse("admin:providers_account_change", args=[account.public_id])
        yield AttentionItem(text, url, "pause_circle", Role.DANGER)
