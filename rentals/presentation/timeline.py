"""The history of an order, from its row, its cancels and the provider's transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name
from core.stored_texts import show
from core.templatetags.portal import amount
from core.times import duration, full_time
from providers.hold.holdable import FROM_BEFORE
from providers.models import ApiCall
from providers.presentation.approval_texts import request_entries

from ..models import Order, Transaction
from ..states import CancelState, OrderState
from .explanations import transactions_of
from .labels import WITHDRAWN, shown_state

S = OrderState


def timeline(order: Order, *, with_calls: bool, with_money: bool) -> list[TimelineEntry]:
    """The entries for one reader, oldest first.

    `with_calls`, `with_money`: whether the reader may see API calls and transactions.
    """
    lines = [*_placing(order, with_calls), *_cancels(order), *_end(order)]
    lines += _money(order) if with_money else []
    lines += [*_differences(order), *_hand_over_entries(order)]
    return sort_entries(lines)


def _placing(order: Order, with_calls: bool) -> Iterator[TimelineEntry]:
    if order.imported:
        yield TimelineEntry(_("Adopted from the provider's list"), order.created_at)
    else:
        text = _("Ordered by %(name)s") % {"name": person_name(order.created_by)}
        yield TimelineEntry(text, order.created_at)
    if order.approval is not None:
        yield from request_entries([order.approval])
    if order.hold is not None:
        yield TimelineEntry(_("Put on hold"), order.hold.started_at)
    if order.handed_over_at:
        yield TimelineEntry(_("Submitted to the provider"), order.handed_over_at)
    call = _placing_call(order) if with_calls else None
    url = reverse("admin:providers_apicall_change", args=[call.pk]) if call else ""
    if order.answered_at and order.reason != FROM_BEFORE:
        yield TimelineEntry(_answer(order), order.answered_at, url, _("API call") if call else "")
    if order.settled_at:
        text = _("Outcome set by %(name)s: %(reason)s") % {
            "name": person_name(order.settled_by),
            "reason": show(order.settled_because) or _("confirmed as placed by the portal"),
        }
        yield TimelineEntry(text, order.settled_at)


def _placing_call(order: Order) -> ApiCall | None:
    calls = ApiCall.objects.filter(subject=f"order:{order.pk}", operation="place_order")
    return calls.order_by("-started_at").first()


def _answer(order: Order) -> str:
    if order.placed_at and order.placed_at == order.answered_at:
        return _("Placed: order %(id)s, price %(price)s") % {
            "id": order.provider_id,
            "price": amount(order.price) or _("not stated"),
        }
    if order.state == S.HELD:
        return _("Not placed")
    if order.state in (S.QUEUED, S.CLAIMED, S.PLACING):
        return _("Not placed; will be retried")
    took = (
        order.answered_at - order.handed_over_at
        if order.handed_over_at and order.answered_at
        else None
    )
    if order.state == S.REFUSED:
        return _("Refused by the provider after %(took)s") % {"took": duration(took)}
    return _("No clear answer after %(took)s") % {"took": duration(took)}


def _cancels(order: Order) -> Iterator[TimelineEntry]:
    words = {
        CancelState.ACCEPTED: _("The provider accepted the cancellation"),
        CancelState.REFUSED: _("The provider refused the cancellation"),
        CancelState.UNCLEAR: _("No clear answer to the cancellation; checking the order"),
        CancelState.NOT_DONE: _("The cancellation was not carried out"),
    }
    for cancel in order.cancels.all():
        text = _("Cancellation requested by %(name)s") % {"name": person_name(cancel.asked_by)}
        yield TimelineEntry(text, cancel.asked_at)
        if cancel.answered_at and cancel.state in words:
            yield TimelineEntry(words[CancelState(cancel.state)], cancel.answered_at)
    for other in order.replaced_by.all():
        url = reverse("admin:rentals_order_change", args=[other.public_id])
        yield TimelineEntry(
            _("Replacement number rented"), other.created_at, url, pgettext("link", "Order")
        )


def _end(order: Order) -> Iterator[TimelineEntry]:
    if order.received_there:
        text = _("SMS received (provider's time)")
        yield TimelineEntry(text, order.received_there, is_provider_time=True)
    if order.sms_at:
        yield TimelineEntry(_("SMS fetched by the portal"), order.sms_at)
    if order.ended_at and order.state in _ENDED:
        yield TimelineEntry(_ended_word(order), order.ended_at)
    if order.state == S.PENDING and order.expires_at:
        time = full_time(order.expires_at)
        yield TimelineEntry(_("No SMS yet; the order expires at %(time)s") % {"time": time})


_ENDED = (
    S.CANCELLED,
    S.EXPIRED,
    S.EXPIRED_UNCONFIRMED,
    S.STALE,
    S.COMPLETED,
    S.NOT_CREATED,
)


def _ended_word(order: Order) -> str:
    if shown_state(order) == WITHDRAWN:
        return _("Cancelled by %(name)s before it was ordered") % {
            "name": person_name(order.ended_by)
        }
    return {
        S.CANCELLED: _("Cancelled at the provider"),
        S.EXPIRED: _("Expired without an SMS"),
        S.COMPLETED: _("Completed at the provider"),
        S.NOT_CREATED: _("Gave up: no number was rented"),
    }.get(OrderState(order.state), _("Gave up: the provider never reported a final state"))


def _money(order: Order) -> Iterator[TimelineEntry]:
    for row in transactions_of(order):
        text = f"{type_word(row.type)} {amount(row.amount)}"
        yield TimelineEntry(
            text,
            row.created_there,
            _transaction_url(row),
            pgettext("link", "Transaction"),
            is_provider_time=True,
        )


def _transaction_url(row: Transaction) -> str:
    return f"{reverse('admin:rentals_transaction_changelist')}?q={row.order_provider_id}"


def type_word(type_: str) -> str:
    words = {
        "Deposit": pgettext("transaction", "Top-up"),
        "Hold": pgettext("transaction", "Hold"),
        "Release": pgettext("transaction", "Release"),
        "Refund": pgettext("transaction", "Refund"),
    }
    return words.get(type_, type_)


def _differences(order: Order) -> Iterator[TimelineEntry]:
    for one in order.differing:
        text = _("A later answer has a different value for %(field)s; the first one is kept.")
        word = {
            "code": _("the code"),
            "content": _("the text"),
            "state": _("the state"),
            "price": _("the price"),
            "phone": _("the number"),
        }.get(one["field"], _("a time"))
        yield TimelineEntry(text % {"field": word}, datetime.fromisoformat(one["at"]))


def _hand_over_entries(order: Order) -> Iterator[TimelineEntry]:
    for one in order.hand_overs.select_related("by", "to_person"):
        other = person_name(one.to_person) if one.to_person else one.to_name
        names = {"name": person_name(one.by), "other": other}
        yield TimelineEntry(_("Reassigned by %(name)s to %(other)s") % names, one.at)
