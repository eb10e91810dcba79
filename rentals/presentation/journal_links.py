"""Links from the journal to the order that a call was for."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ..models import Order


def order_links(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    """Labels and URLs. A label shows the last digits only, since the journal masks numbers, too."""
    found = Order.objects.filter(pk__in=identities).order_by()
    return {
        str(pk): (
            _("order …%(digits)s") % {"digits": phone[-4:]} if phone else pgettext("link", "order"),
            reverse("admin:rentals_order_change", args=[public_id]),
        )
        for pk, public_id, phone in found.values_list("pk", "public_id", "phone")
    }
