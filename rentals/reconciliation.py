"""Orders whose outcome is unknown.

GoSMS has no key by which a lost order could be asked for. It turns up in the list of orders,
or it was never made; the transactions tell whether money was held for it. Taken over by
itself is only what is surely ours: one candidate for one lost order, and an account whose key
nobody else uses. All else is laid before staff.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from providers.models import Account

from . import apply_order_state, order_import
from .models import FoundOrder, Order, Reading, Transaction
from .states import ORDER_STATES, OrderState

S = OrderState

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""So far the provider's clock may be off beyond what our other orders tell of it."""
APPEARANCE_DELAY: Final = timedelta(minutes=2)
"""Not before this is an order that cannot be found believed not to exist."""
SEARCH_PERIOD: Final = timedelta(minutes=15)
NOT_FOUND_THERE: Final = "not_found_there"


def candidates(order: Order) -> QuerySet[FoundOrder]:
    """Orders in the provider's list that may be the one whose answer was lost."""
    free = FoundOrder.objects.filter(account=order.account_id, order=None)
    same = Q(project__iexact=order.project) | Q(project="")
    free = free.filter(same, Q(region__iexact=order.region) | Q(region=""))
    return free.filter(_made_around(order, "first_seen_at")).order_by("created_there", "pk")


def _made_around(order: Order, first_seen: str) -> Q:
    """Rows of the provider's that were made while this order was being placed. Where nothing
    tells how far its clock is off, also all that we first saw since then."""
    ahead = order_import.clock_skew(order.account_id)
    began, ended = _window(order, ahead or timedelta(0))
    since = {f"{first_seen}__gte": order.handed_over_at or order.created_at}
    seen_since = Q(**since) if ahead is None else Q(created_there=None, **since)
    return Q(created_there__range=(began, ended)) | seen_since


def _window(order: Order, ahead: timedelta) -> tuple[datetime, datetime]:
    began = order.handed_over_at or order.created_at
    return began + ahead - CLOCK_TOLERANCE, (order.answered_at or began) + ahead + CLOCK_TOLERANCE


def settle(account: Account, now: datetime) -> None:
    """After a list was read: adopt what is surely ours, end what surely was not made, and
    import the rest where this portal exclusive uses the key."""
    exclusive = bool(account.options.get("exclusive_key"))
    for order in Order.objects.filter(account=account, state=S.UNKNOWN).order_by("pk"):
        found = list(candidates(order)[:2])
        if exclusive and len(found) == 1 and _is_certainly_ours(order, found[0]):
            adopt(order, found[0], by=None, because="")
        elif not found and _was_certainly_not_made(order):
            end = {"reason": NOT_FOUND_THERE, "ended_at": now, "changed_at": now}
            row = Order.objects.filter(pk=order.pk)
            ORDER_STATES.move(row, S.NOT_CREATED, sources=(S.UNKNOWN,), **end)
    if exclusive:
        order_import.import_unclaimed(account)


def _is_certainly_ours(order: Order, found: FoundOrder) -> bool:
    """It was made at that time, and no other order of ours can be the one that it is."""
    began, ended = _window(order, order_import.clock_skew(order.account_id) or timedelta(0))
    if found.created_there is None or not began <= found.created_there <= ended:
        return False
    same = Order.objects.filter(
        account=order.account_id, project=order.project, region=order.region, provider_id=""
    ).exclude(pk=order.pk)
    looked_for = Q(state__in=(S.UNKNOWN, S.CLAIMED, S.PLACING))
    # Of these it is only believed that they were not made.
    believed = Q(state=S.NOT_CREATED, reason__in=("", NOT_FOUND_THERE))
    believed &= Q(handed_over_at__range=(began - SEARCH_PERIOD, ended + SEARCH_PERIOD))
    return not same.filter(looked_for | believed).exists()


def _was_certainly_not_made(order: Order) -> bool:
    """Both lists were read whole after it had time to appear, each row of them was understood,
    and no money was held."""
    read = (full_readings_since(order, kind).exists() for kind in Reading.Kind)
    return all(read) and not _unmatched_transactions(order).exists()


def full_readings_since(order: Order, kind: str) -> QuerySet[Reading]:
    return Reading.objects.filter(
        account=order.account_id,
        kind=kind,
        state=Reading.State.DONE,
        whole=True,
        complete=True,
        unreadable=0,
        started_at__gt=(order.answered_at or order.created_at) + APPEARANCE_DELAY,
    )


def _unmatched_transactions(order: Order) -> QuerySet[Transaction]:
    """Money that moved, at the time, for an order that nobody knows."""
    rows = Transaction.objects.filter(_made_around(order, "read_at"), account=order.account_id)
    rows = rows.filter(Q(type="Hold") | ~Q(order_provider_id=""))
    ours = Order.objects.filter(account=order.account_id).exclude(provider_id="")
    theirs = FoundOrder.objects.filter(account=order.account_id)
    rows = rows.exclude(order_provider_id__in=ours.values("provider_id"))
    return rows.exclude(order_provider_id__in=theirs.values("provider_id"))


def adopt(order: Order, found: FoundOrder, *, by: User | None, because: str) -> bool:
    """The order whose answer was lost is this one. False: either was settled meanwhile."""
    now = timezone.now()
    with transaction.atomic():
        row = Order.objects.select_for_update().filter(pk=order.pk)
        lost = row.filter(state__in=(S.UNKNOWN, S.NOT_CREATED)).first()
        free = FoundOrder.objects.select_for_update().filter(pk=found.pk, order=None).first()
        if lost is None or free is None or free.account_id != lost.account_id:
            return False
        lost.settled_at, lost.settled_because = now, because
        lost.settled_by_id = by.pk if by else None
        lost.save(update_fields=["settled_at", "settled_because", "settled_by"])
        started_at = lost.handed_over_at or now
        apply_order_state.attach(lost, order_import.to_rental(free), now, started_at=started_at)
        FoundOrder.objects.filter(pk=free.pk).update(order=lost)
        # The list tells neither its end nor its text.
        follow = {"next_poll_at": now, "changed_at": now, "ended_at": None}
        Order.objects.filter(pk=lost.pk, state__in=(S.PENDING, *apply_order_state.WITH_SMS)).update(
            **follow
        )
    return True


def mark_not_made(order: Order, by: User, because: str) -> bool:
    now = timezone.now()
    return bool(
        ORDER_STATES.move(
            Order.objects.filter(pk=order.pk),
            S.NOT_CREATED,
            sources=(S.UNKNOWN,),
            reason="",
            settled_at=now,
            settled_by_id=by.pk,
            settled_because=because,
            ended_at=now,
            changed_at=now,
        )
    )
