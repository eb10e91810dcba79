"""Accounts in the search over all pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import pgettext

from core.admin.search import MOST_HITS, Hit, HitGroup, Term
from core.masking import data

from ..models import Account


def find_hits(request: HttpRequest, term: Term) -> Iterator[HitGroup]:
    if not request.user.has_perm("providers.view_account") or not term.is_name:
        return
    found = [one for one in Account.objects.all() if term.is_in(one.name, one.provider_name)]
    hits = [
        Hit(
            data(one.name),
            reverse("admin:providers_account_change", args=[one.public_id]),
            "account_balance_wallet",
            detail=data(one.provider_name),
        )
        for one in found[:MOST_HITS]
    ]
    yield HitGroup(pgettext("search", "Accounts"), hits)
