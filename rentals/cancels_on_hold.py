"""Cancels as what a hold ends.

Whether such a cancel was sent since is not known. The order's own answer tells, and costs nothing.
So nobody decides about it: it is unclear at once, and its order is asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.stored_texts import declare
from providers import clock
from providers.hold.holdable import FROM_BEFORE, HeldGroup, Holdable, held_accounts
from providers.models import Account, Hold

from . import cancel_requests
from .models import Cancel, Order
from .states import CANCEL_STATES, CancelState, OrderState

C = CancelState

TITLE: Final = declare("held.cancels", gettext_lazy("Cancels of orders"))


class CancelsOnHold(Holdable):
    name: ClassVar[str] = "cancels"

    def hold(self, hold: Hold) -> int:
        """Cancels that the portal would send by itself count, too: they wait until their order
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

    def groups(self, hold: Hold) -> list[HeldGroup]:
        pks = _ended_by(hold).order_by().values_list("order__account", flat=True).distinct()
        accounts = Account.objects.filter(pk__in=list(pks)).order_by("name", "pk")
        return [_group(hold, account) for account in accounts]

    def count_undecided(self, hold: Hold) -> int:
        return 0

    def settle_known(self, hold: Hold) -> int:
        """The answers of the orders decide as they come."""
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return 0

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return 0


def _ended_by(hold: Hold) -> QuerySet[Cancel]:
    ended = Cancel.objects.filter(reason=FROM_BEFORE, answered_at__gte=hold.started_at)
    return ended.filter(answered_at__lte=hold.ended_at) if hold.ended_at else ended


def _group(hold: Hold, account: Account) -> HeldGroup:
    ended = _ended_by(hold).filter(order__account=account)
    count, unclear = ended.count(), ended.filter(state=C.UNCLEAR).count()
    times = ended.order_by("asked_at").values_list("asked_at", flat=True)
    text = _("Cancellation not sent again: %(count)s. Each order's own state decides.")
    return HeldGroup(
        key=f"{CancelsOnHold.name}:{account.pk}",
        icon="cancel",
        stored_title=TITLE.store(),
        account=account.name,
        undecided=0,
        oldest=times.first(),
        newest=times.last(),
        facts=[text % {"count": f"{count:,}"}],
        settled=count - unclear,
        may_send=False,
        url=reverse("admin:rentals_order_changelist"),
    )
