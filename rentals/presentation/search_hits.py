"""Orders in the search over all pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import pgettext

from core.admin.labels import state_label
from core.admin.search import MOST_HITS, Hit, HitGroup, Term
from core.masking import data
from core.visibility import may_see_whole

from ..find_orders import find_orders
from ..models import Order
from .labels import shown_state
from .visibility import shown


def find_hits(request: HttpRequest, term: Term) -> Iterator[HitGroup]:
    if not request.user.has_perm("rentals.view_order"):
        return
    # An order id may look like a number.
    keys = find_orders(term.text)[:MOST_HITS]
    found = Order.objects.select_related("account").in_bulk(keys)
    hits = [
        Hit(
            shown(one, unmasked=may_see_whole(one, request.user)).number or data(one.provider_id),
            reverse("admin:rentals_order_change", args=[one.public_id]),
            "list_alt",
            state_label("order", shown_state(one)),
            data(one.account.name),
            one.created_at,
        )
        for one in (found[key] for key in keys if key in found)
    ]
    yield HitGroup(pgettext("search", "Orders"), hits)
