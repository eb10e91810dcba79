"""Orders whose outcome is unknown, and orders that nobody here placed.

GoSMS has no key by which a lost order could be asked for. It turns up in the list of orders,
or it was never made; the transactions tell whether money was held for it. Taken over by
itself is only what is surely ours: one candidate for one lost order, and an account whose key
nobody else uses. All else is laid before staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.secrets import Secret
from providers.gateway.vocabulary import OrderState as StatedState
from providers.gateway.vocabulary import Rental
from providers.models import Account

from . import answers
from .models import FoundOrder, Order, Reading, Transaction
from .orders import by_provider_id
from .states import ORDER_STATES, OrderState

S = OrderState

SKEW: Final = timedelta(minutes=5)
"""So far the provider's clock may be off."""
SETTLE: Final = timedelta(minutes=2)
"""Not before this is an order that cannot be found believed not to exist."""
LOOKED_FOR: Final = timedelta(minutes=15)
NOT_FOUND_THERE: Final = "not_found_there"


# --- what the list of orders tells ------------------------------------------


def take_in_page(account: Account, rentals: Sequence[Rental], now: datetime) -> int:
    """News of our orders, and orders that are not ours. Returns how many of those are new."""
    stated = {one.order_id: one for one in rentals}
    ours = by_provider_id(account, list(stated))
    for key, order in ours.items():
        if _says_something_new(order, stated[key]):
            answers.take_in(order.pk, stated[key], now, whole=False)
    others = {key: one for key, one in stated.items() if key not in ours}
    return _note_others(account, others, now)


def _says_something_new(order: Order, rental: Rental) -> bool:
    return (
        rental.raw_state != order.provider_state
        or bool(rental.code and not order.code)
        or (rental.price is not None and rental.price != order.price)
        or (rental.received_at is not None and rental.received_at != order.received_there)
        or (bool(rental.phone) and rental.phone != order.phone)
    )


def _note_others(account: Account, others: dict[str, Rental], now: datetime) -> int:
    standing = set(
        FoundOrder.objects.filter(account=account, provider_id__in=list(others)).values_list(
            "provider_id", flat=True
        )
    )
    new = [_found(account, one, now) for key, one in others.items() if key not in standing]
    FoundOrder.objects.bulk_create(new, ignore_conflicts=True)
    for key in standing:
        FoundOrder.objects.filter(account=account, provider_id=key).update(
            last_seen_at=now, provider_state=others[key].raw_state, stated=others[key].state
        )
    return len(new)


def _found(account: Account, one: Rental, now: datetime) -> FoundOrder:
    found = FoundOrder(
        account=account,
        provider_id=one.order_id,
        project=one.project,
        region=one.region,
        phone=one.phone,
        provider_state=one.raw_state,
        stated=one.state,
        code=Secret(one.code) if one.code else "",
        content=Secret(one.content) if one.content else "",
        created_there=one.created_at,
        expires_there=one.expires_at,
        received_there=one.received_at,
        raw_times=dict(one.raw_times),
        first_seen_at=now,
        last_seen_at=now,
    )
    found.price = one.price
    return found


def known(account: Account) -> int:
    """Orders in the provider's list that we know, whoever placed them."""
    ours = Order.objects.filter(account=account).exclude(provider_id="").count()
    return ours + FoundOrder.objects.filter(account=account, order=None).count()


# --- orders whose outcome is unknown -----------------------------------------


def candidates(order: Order) -> QuerySet[FoundOrder]:
    """Orders in the provider's list that may be the one whose answer was lost."""
    began = order.handed_over_at or order.created_at
    ended = order.answered_at or began
    return FoundOrder.objects.filter(
        account=order.account_id,
        order=None,
        project=order.project,
        region=order.region,
        created_there__gte=began - SKEW,
        created_there__lte=ended + SKEW,
    ).order_by("created_there")


def settle(account: Account, now: datetime) -> None:
    """After a list was read: adopt what is surely ours, end what surely was not made, and
    import the rest where this portal alone uses the key."""
    lost = list(Order.objects.filter(account=account, state=S.UNKNOWN).order_by("pk"))
    alone = bool(account.options.get("exclusive_key"))
    for order in lost:
        found = list(candidates(order)[:2])
        rivals = [one for one in lost if (one.project, one.region) == (order.project, order.region)]
        if len(found) == 1 and len(rivals) == 1 and alone:
            adopt(order, found[0], by=None, because="")
        elif not found and _was_surely_not_made(order, now):
            end = {"reason": NOT_FOUND_THERE, "ended_at": now, "changed_at": now}
            row = Order.objects.filter(pk=order.pk)
            ORDER_STATES.move(row, S.NOT_CREATED, sources=(S.UNKNOWN,), **end)
    if alone:
        _import_what_nobody_looks_for(account)


def _was_surely_not_made(order: Order, now: datetime) -> bool:
    """Both lists were read whole after it had time to appear, and no money was held."""
    since = (order.answered_at or order.created_at) + SETTLE
    for kind in Reading.Kind:
        read = Reading.objects.filter(
            account=order.account_id, kind=kind, complete=True, started_at__gt=since
        )
        if not read.filter(state=Reading.State.DONE).exists():
            return False
    return not _foreign_holds(order).exists()


def _foreign_holds(order: Order) -> QuerySet[Transaction]:
    """Money held, at the time, for an order that nobody knows."""
    began = (order.handed_over_at or order.created_at) - SKEW
    ended = (order.answered_at or order.created_at) + SKEW
    holds = Transaction.objects.filter(
        account=order.account_id, type="Hold", created_there__range=(began, ended)
    )
    ours = Order.objects.filter(account=order.account_id).exclude(provider_id="")
    theirs = FoundOrder.objects.filter(account=order.account_id)
    holds = holds.exclude(order_provider_id__in=ours.values("provider_id"))
    return holds.exclude(order_provider_id__in=theirs.values("provider_id"))


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
        anchor = lost.handed_over_at or now
        answers.become(lost, _as_stated(free), now, anchor=anchor)
        FoundOrder.objects.filter(pk=free.pk).update(order=lost)
        # The list tells neither its end nor its text.
        follow = {"next_poll_at": now, "changed_at": now, "ended_at": None}
        Order.objects.filter(pk=lost.pk, state__in=(S.PENDING, *answers.WITH_SMS)).update(**follow)
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


def import_order(found: FoundOrder, by: User | None) -> Order | None:
    """Make an order of ours of one that was not placed here. None: it is one already."""
    now = timezone.now()
    with transaction.atomic():
        free = FoundOrder.objects.select_for_update().filter(pk=found.pk, order=None).first()
        if free is None:
            return None
        order = Order.objects.create(
            account=free.account,
            project=free.project,
            region=free.region,
            state=S.UNKNOWN,
            imported=True,
            held_by_id=by.pk if by else None,
            created_at=free.created_there or free.first_seen_at,
        )
        answers.become(order, _as_stated(free), now, anchor=free.created_there or now)
        FoundOrder.objects.filter(pk=free.pk).update(order=order)
        follow = {"next_poll_at": now}
        Order.objects.filter(pk=order.pk, state__in=(S.PENDING, *answers.WITH_SMS)).update(**follow)
    order.refresh_from_db()
    return order


def _import_what_nobody_looks_for(account: Account) -> None:
    """Not while an order of its kind is looked for: it might be that one."""
    wanted = set(
        Order.objects.filter(account=account, state=S.UNKNOWN).values_list("project", "region")
    )
    under_way = Order.objects.filter(account=account, state__in=(S.CLAIMED, S.PLACING))
    wanted |= set(under_way.values_list("project", "region"))
    for found in FoundOrder.objects.filter(account=account, order=None):
        if (found.project, found.region) not in wanted:
            import_order(found, None)


def _as_stated(found: FoundOrder) -> Rental:
    """The answer that it was found by."""
    return Rental(
        order_id=found.provider_id,
        state=StatedState(found.stated),
        raw_state=found.provider_state,
        phone=found.phone,
        project=found.project,
        region=found.region,
        price=found.price,
        code=found.code.reveal() if found.code else None,
        content=found.content.reveal() if found.content else None,
        created_at=found.created_there,
        expires_at=found.expires_there,
        received_at=found.received_there,
        raw_times=found.raw_times,
    )
