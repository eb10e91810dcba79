"""Code sessions in the search over all pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import pgettext

from core.admin.labels import state_label
from core.admin.search import MOST_HITS, Hit, HitGroup, Term
from core.masking import data, shown_number
from core.visibility import may_see_whole

from ..models import Session
from .labels import shown_state


def find_hits(request: HttpRequest, term: Term) -> Iterator[HitGroup]:
    if not request.user.has_perm("otp.view_session") or term.number:
        return
    rows = Session.objects.filter(public_id=term.text[:24]).select_related("account").order_by()
    hits = [
        Hit(
            shown_number(one.recipient, whole=may_see_whole(one, request.user)),
            reverse("admin:otp_session_change", args=[one.public_id]),
            "pin",
            state_label("session", shown_state(one)),
            data(one.account.name),
            one.created_at,
        )
        for one in rows[:MOST_HITS]
    ]
    yield HitGroup(pgettext("search", "Codes"), hits)
