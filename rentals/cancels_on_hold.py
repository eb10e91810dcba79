"""Cancels as what a hold ends.

Whether such a cancel was sent since is not known. A query of the order shows it, and costs nothing.
So staff do not decide about it: it is unclear at once, and its order is queried.
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.stored_texts import declare
from providers import clock
from providers.hold.ended_at_once import EndedAtOnce
from providers.hold.holdable import FROM_BEFORE, HeldGroup, held_accounts
from providers.models import Account, Hold

from . import cancel_requests
from .models import Cancel, Order
from .states import CANCEL_STATES, CancelState, OrderState

C = CancelState

TITLE: Final = declare("held.cancels", gettext_lazy("Cancels of orders"))


class CancelsOnHold(EndedAtOnce):
    name: ClassVar[str] = "cancels"
    model = Cancel
    account: ClassVar[str] = "order__account"
    queued_at: ClassVar[str] = "asked_at"
    ended_at: ClassVar[str] = "answered_at"

    def hold(self, hold: Hold) -> int:
        """Cancels that the portal would send automatically count, too: they wait until their order
        has been asked for (`cancel_requests.request_due_cancels`)."""
        now = clock.now()
        waiting = (C.QUEUED, C.CLAIMED)
        cancels = Cancel.objects.filter(order__account__in=held_accounts(), state__in=waiting)
        found = cancels.order_by("pk").select_for_update(of=("self",))
        order_of = dict(found.values_list("pk", "order"))
        moved = CANCEL_STATES.move(
            Cancel.objects.filter(pk__in=order_of),
            C.UNCLEAR,
            sources=waiting,
            reason=FROM_BEFORE,
            answered_at=now,
            claim=None,
            claimed_at=None,
        )
        for order_id in order_of.values():
            cancel_requests.let_order_decide(order_id, now)
        pending = Order.objects.filter(account__in=held_accounts(), state=OrderState.PENDING)
        pending.filter(next_poll_at__gt=now).update(next_poll_at=now)
        return moved + pending.filter(cancel_at__isnull=False, sms_at=None).count()

    def group(self, account: Account, ended: QuerySet[Cancel]) -> HeldGroup:
        """The answers of the orders decide as they come."""
        oldest, newest = self.oldest_and_newest(ended)
        count, unclear = ended.count(), ended.filter(state=C.UNCLEAR).count()
        text = _("Cancellation not sent again: %(count)s. Each order's own state decides.")
        return HeldGroup(
            key=f"{self.name}:{account.pk}",
            icon="cancel",
            stored_title=TITLE.store(),
            account=account.name,
            undecided=0,
            oldest=oldest,
            newest=newest,
            facts=[text % {"count": f"{count:,}"}],
            settled=count - unclear,
            may_send=False,
            url=reverse("admin:rentals_order_changelist"),
        )
