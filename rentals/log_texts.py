"""What the log says about acts on orders, transactions and findings."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from core.stored_texts import declare

WITHDRAWN: Final = declare("order.withdrawn", _("Cancelled before it was ordered"))
CANCEL_REQUESTED: Final = declare("order.cancel_requested", _("Cancellation requested"))
CANCEL_AND_RENT_REQUESTED: Final = declare(
    "order.cancel_and_rent_requested",
    _("Cancellation requested, with another number to be rented"),
)
ADOPTED: Final = declare(
    "order.adopted", _("Outcome set as the provider's order %(id)s: %(reason)s")
)
MARKED_NOT_PLACED: Final = declare(
    "order.marked_not_placed", _("Outcome set as not placed: %(reason)s")
)
IMPORTED: Final = declare("order.imported", _("Adopted from the provider's list"))
REASSIGNED: Final = declare("order.reassigned", _("Reassigned to %(name)s"))
ORDERS_EXPORTED: Final = declare("order.exported", _("Orders exported: %(count)s"))
TRANSACTIONS_EXPORTED: Final = declare(
    "transaction.exported", _("Transactions exported: %(count)s")
)
EXPLAINED: Final = declare("finding.explained", _("Explained: %(reason)s"))
