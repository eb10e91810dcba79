"""Links from the journal to the order that a call was for."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ..models import Order


def order_link(identity: str) -> tuple[str, str] | None:
    """Label and URL. The label shows the last digits only, since the journal masks numbers, too."""
    if not identity.isdigit():
        return None
    found = Order.objects.filter(pk=identity).values_list("public_id", "phone").first()
    if found is None:
        return None
    public_id, phone = found
    label = _("order …%(digits)s") % {"digits": phone[-4:]} if phone else pgettext("link", "order")
    return label, reverse("admin:rentals_order_change", args=[public_id])
