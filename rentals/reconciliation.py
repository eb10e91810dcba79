"""Reconcile orders whose outcome is unknown with the provider's lists.

GoSMS has no key by which a lost order could be looked up. Either it appears in the list of orders,
or it was never placed; the transactions show whether money was held for it. The portal adopts an
order automatically only if it is certainly ours: one candidate for one lost order, on an account
whose key is exclusive to this portal. Staff decide all other cases.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from core.stored_texts import Stored
from providers import clock
from providers.models import Account

from . import apply_order_state, order_import
from .models import FoundOrder, Order, Reading, Transaction
from .states import ORDER_STATES, OrderState
from .transactions import doubled, variants_of

S = OrderState

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the provider's clock may deviate from the skew that our other orders show."""
APPEARANCE_DELAY: Final = timedelta(minutes=2)
"""An order that cannot be found is believed not to exist only after this time."""
SEARCH_PERIOD: Final = timedelta(minutes=15)
NOT_FOUND_THERE: Final = "not_found_there"


def candidates(order: Order) -> QuerySet[FoundOrder]:
    """Found orders that may be the order whose answer was lost."""
    free = FoundOrder.objects.filter(account=order.account_id, order=None)
    same = Q(project__iexact=order.project) | Q(project="")
    free = free.filter(same, Q(region__iexact=order.region) | Q(region=""))
    return free.filter(_made_around(order, "first_seen_at")).order_by("created_there", "pk")


def _made_around(order: Order, first_seen: str) -> Q:
    """Provider's rows that were created while this order was being placed.

    Without a known clock skew, also all rows that were first seen since then. `first_seen` names
    the field of that moment.
    """
    skew = order_import.clock_skew(order.account_id)
    start, end = _window(order, skew or timedelta(0))
    since = {f"{first_seen}__gte": order.handed_over_at or order.created_at}
    seen_since = Q(**since) if skew is None else Q(created_there=None, **since)
    return Q(created_there__range=(start, end)) | seen_since


def _window(order: Order, skew: timedelta) -> tuple[datetime, datetime]:
    began = order.handed_over_at or order.created_at
    ended = order.answered_at or began
    if order.state == S.HELD and order.hold is not None:
        # A newer database may have placed it at any time before the hold.
        ended = order.hold.started_at
    return began + skew - CLOCK_TOLERANCE, ended + skew + CLOCK_TOLERANCE


def settle(account: Account, now: datetime) -> None:
    """Settle the account's unknown orders, and those on hold, after a list was read.

    1. Adopt the orders that are certainly ours, if the key is exclusive.
    2. End unknown orders that were certainly not placed. One on hold waits for a person.
    3. Import the remaining found orders, if the key is exclusive.
    """
    exclusive = bool(account.options.get("exclusive_key"))
    if exclusive:
        _adopt_held(account)
    for order in Order.objects.filter(account=account, state=S.UNKNOWN).order_by("pk"):
        found = list(candidates(order)[:2])
        if exclusive and len(found) == 1 and _is_certainly_ours(order, found[0]):
            adopt(order, found[0])
        elif not found and _was_certainly_not_made(order):
            end = {"reason": NOT_FOUND_THERE, "ended_at": now, "changed_at": now}
            row = Order.objects.filter(pk=order.pk)
            ORDER_STATES.move(row, S.NOT_CREATED, sources=(S.UNKNOWN,), **end)
    if exclusive:
        order_import.import_unclaimed(account)


def _adopt_held(account: Account) -> None:
    """Adopt the found orders of an app and country if they are as many as those on hold there.

    Orders of one app and country are placed one after the other, so the times of their creation
    show which is which. With more or fewer found, a person decides.
    """
    held = Order.objects.filter(account=account, state=S.HELD).select_related("hold")
    by_pair: dict[tuple[str, str], list[Order]] = defaultdict(list)
    for order in held.order_by("not_before", "pk"):
        by_pair[order.project, order.region].append(order)
    for orders in by_pair.values():
        found = {one.pk: one for order in orders for one in candidates(order)}
        pairs = list(zip(orders, sorted(found.values(), key=_made_at), strict=False))
        if len(found) == len(orders) and all(_is_from_before(*pair) for pair in pairs):
            for order, one in pairs:
                adopt(order, one)


def _made_at(found: FoundOrder) -> tuple[datetime, int]:
    return found.created_there or found.first_seen_at, found.pk


def _is_from_before(order: Order, found: FoundOrder) -> bool:
    """Whether it was made while this order waited, and no order but those on hold can be it."""
    return _is_certainly_ours(order, found, but=(S.HELD,))


def _is_certainly_ours(order: Order, found: FoundOrder, but: tuple[OrderState, ...] = ()) -> bool:
    """It was created at that time, and no other order of ours can be this one.

    `but`: the states of others that are known not to be it.
    """
    start, end = _window(order, order_import.clock_skew(order.account_id) or timedelta(0))
    if found.created_there is None or not start <= found.created_there <= end:
        return False
    same = Order.objects.filter(
        account=order.account_id, project=order.project, region=order.region, provider_id=""
    ).exclude(pk=order.pk)
    may_be_it = Q(state__in={S.UNKNOWN, S.HELD, S.CLAIMED, S.PLACING} - set(but))
    # Orders that are only believed not to have been placed.
    believed = Q(state=S.NOT_CREATED, reason__in=("", NOT_FOUND_THERE))
    believed &= Q(handed_over_at__range=(start - SEARCH_PERIOD, end + SEARCH_PERIOD))
    return not same.filter(may_be_it | believed).exists()


def _was_certainly_not_made(order: Order) -> bool:
    """Both lists were read completely after the order had time to appear, every row was readable,
    and no money was held. A clock that was set recently does not show how long that was."""
    if not clock.is_settled(clock.UNSETTLED_FOR + APPEARANCE_DELAY.total_seconds()):
        return False
    read = (full_readings_since(order, kind).exists() for kind in Reading.Kind)
    if not all(read) or _unmatched_transactions(order).exists():
        return False
    # Whose money a transaction with a doubled id held is not known.
    near = doubled(order.account).filter(_made_around(order, "read_at"))
    return not any(row.repeated or variants_of(row) for row in near)


def full_readings_since(order: Order, kind: str) -> QuerySet[Reading]:
    """Complete readings of every page that began after the order had time to appear."""
    return Reading.objects.filter(
        account=order.account_id,
        kind=kind,
        state=Reading.State.DONE,
        whole=True,
        complete=True,
        unreadable=0,
        started_at__gt=(order.answered_at or order.created_at) + APPEARANCE_DELAY,
        # One that lies ahead is from before a clock was set back.
        started_at__lte=clock.now(),
    )


def _unmatched_transactions(order: Order) -> QuerySet[Transaction]:
    """Transactions of that time whose order is neither ours nor found."""
    rows = Transaction.objects.filter(_made_around(order, "read_at"), account=order.account_id)
    rows = rows.filter(Q(type="Hold") | ~Q(order_provider_id=""))
    ours = Order.objects.filter(account=order.account_id).exclude(provider_id="")
    theirs = FoundOrder.objects.filter(account=order.account_id)
    rows = rows.exclude(order_provider_id__in=ours.values("provider_id"))
    return rows.exclude(order_provider_id__in=theirs.values("provider_id"))


def adopt(
    order: Order, found: FoundOrder, *, by: User | None = None, because: Stored | None = None
) -> bool:
    """Settle a lost order as the found one, and poll it. False: either was settled meanwhile.

    `by` is None if the portal itself decides.
    """
    now = clock.now()
    with transaction.atomic():
        row = Order.objects.select_for_update().filter(pk=order.pk)
        lost = row.filter(state__in=(S.UNKNOWN, S.HELD, S.NOT_CREATED)).first()
        free = FoundOrder.objects.select_for_update().filter(pk=found.pk, order=None).first()
        if lost is None or free is None or free.account_id != lost.account_id:
            return False
        lost.settled_at, lost.settled_because = now, because or ""
        lost.settled_by_id = by.pk if by else None
        lost.save(update_fields=["settled_at", "settled_because", "settled_by"])
        started_at = lost.handed_over_at or order_import.placed_at(free)
        apply_order_state.attach(lost, order_import.to_rental(free), now, started_at=started_at)
        FoundOrder.objects.filter(pk=free.pk).update(order=lost)
        # The list states neither the end nor the text, so poll the order now.
        poll_now = {"next_poll_at": now, "changed_at": now, "ended_at": None}
        Order.objects.filter(pk=lost.pk, state__in=(S.PENDING, *apply_order_state.WITH_SMS)).update(
            **poll_now
        )
    return True


def mark_not_made(order: Order, by: User, because: Stored) -> bool:
    """Settle an unknown order as not placed. False: it was settled meanwhile."""
    now = clock.now()
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
