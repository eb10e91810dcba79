"""The sentences of acts on orders and findings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe


def register() -> None:
    describe("order.place", Area.SEND, _("Ordered a number: %(subject)s"))
    describe("order.withdrawn", Area.SEND, _("Cancelled before it was ordered: %(subject)s"))
    describe("order.cancel_requested", Area.SEND, _("Requested to cancel %(subject)s"))
    describe(
        "order.cancel_and_rent_requested",
        Area.SEND,
        _("Requested to cancel %(subject)s and to rent another number"),
    )
    describe(
        "order.adopted",
        Area.OUTCOME,
        _("Set the outcome of %(subject)s to the provider's order %(id)s"),
        _("Set the outcome of %(subject)s to an order of the provider"),
    )
    describe(
        "order.marked_not_placed", Area.OUTCOME, _("Set the outcome to not placed: %(subject)s")
    )
    describe("order.import", Area.OUTCOME, _("Adopted from the provider's list: %(subject)s"))
    describe(
        "order.hand_over",
        Area.SEND,
        _("Handed %(subject)s over to %(to)s"),
        _("Handed %(subject)s over"),
        people=("to",),
    )
    describe("finding.explained", Area.OUTCOME, _("Explained %(subject)s"))
