"""What of the accounts needs a hand, for the dashboard."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.attention import Matter
from core.labels import Role

from .models import Account
from .reasons import explain


def matters(request: HttpRequest) -> Iterator[Matter]:
    """Every paused account, with what paused it."""
    if not request.user.has_perm("providers.view_account"):
        return
    for account in Account.objects.exclude(paused_at=None):
        text = _("%(account)s is paused: %(reason)s") % {
            "account": account.name,
            "reason": explain(account.pause_reason).title,
        }
        url = reverse("admin:providers_account_change", args=[account.public_id])
        yield Matter(text, url, "pause_circle", Role.DANGER)
