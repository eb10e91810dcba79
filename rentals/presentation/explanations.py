"""Explanations under an order's state: what happened, the money, the next step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from core.countries import country_name
from core.money_lines import MoneyLine
from core.punctuation import join_sentences
from core.templatetags.portal import amount
from core.times import duration, short_time
from providers import clock
from providers.error_texts import Explanation, explain, explain_pause, retry_values
from providers.gateway.vocabulary import Reason
from providers.pause_facts import Reader, may_fix_accounts, pause_fact
from providers.presentation.approval_texts import explain_request

from .. import cancel_requests, poll_intervals, reconciliation
from ..catalogue import project_names
from ..engine.lookup_errors import is_not_found
from ..ledger import HOLD, REFUND
from ..models import Order, Transaction
from ..states import CancelState, OrderState
from .labels import WITHDRAWN, shown_state

S = OrderState


def explanation_of(order: Order, reader: Reader = None) -> Explanation:
    shown = shown_state(order)
    match order.state:
        case S.HELD:
            return _on_hold(order)
        case S.AWAITING_APPROVAL | S.REJECTED:
            asked = explain_request(order.approval) if order.approval else None
            return asked or Explanation(money=MoneyLine.NOT_SENT)
        case S.QUEUED | S.CLAIMED:
            return _waiting(order, reader)
        case S.PLACING:
            return Explanation(text=_("Being submitted to the provider."))
        case S.UNKNOWN:
            return _unknown(order, reader)
        case S.REFUSED | S.NOT_CREATED:
            return _released(order, _reasoned(order, reader))
        case S.PENDING:
            return _pending(order, shown)
        case S.RECEIVED | S.COMPLETED:
            return _received(order)
    return _ended(order, shown)


def _ended(order: Order, shown: str) -> Explanation:
    match order.state:
        case S.EXPIRED:
            explained = explain(
                Reason.ORDER_EXPIRED, time=short_time(order.ended_at or clock.now())
            )
            return Explanation(explained.title, _refund_line(order), explained.next_step)
    if shown == WITHDRAWN:
        return Explanation(money=MoneyLine.NOT_SENT)
    if order.state == S.CANCELLED:
        return Explanation(text=_refund_line(order), next_step=_not_rented(order))
    return Explanation(
        text=_("The order has expired, and the provider never reported a final state."),
        next_step=_("Rent another number, and check the refund under Transactions."),
    )


def _on_hold(order: Order) -> Explanation:
    began = short_time(order.hold.started_at) if order.hold else ""
    return Explanation(
        _("It is not known whether this was ordered."),
        _(
            "It was waiting when a hold began at %(time)s and may have been ordered"
            " earlier. The portal searches the provider's order list and will order it"
            " only after a manager releases it."
        )
        % {"time": began},
        _("Ask a manager to decide."),
        MoneyLine.UNKNOWN,
    )


def _waiting(order: Order, reader: Reader) -> Explanation:
    if order.account.is_paused:
        return explain_pause(order.account.name)
    if order.reason == Reason.NO_NUMBER_AVAILABLE and order.keep_trying_until:
        explained = explain(order.reason, words=order.words, **_values(order))
        until = short_time(order.keep_trying_until)
        trying = _("The portal keeps trying until %(time)s.") % {"time": until}
        return Explanation(explained.title, trying, "", explained.money)
    if order.reason and order.answered_at:
        return _reasoned(order, reader)
    return Explanation(
        text=_("Orders for the same app and country/region are placed one at a time.")
    )


def _values(order: Order) -> dict[str, Any]:
    values: dict[str, Any] = {
        "app": project_names(order.account.provider).get(order.project, order.project),
        "country": country_name(order.region),
    }
    retry_at = order.not_before if order.state == S.QUEUED else None
    queued = order.account.orders.filter(state=S.QUEUED)
    values |= retry_values(order.reason, order.tries, retry_at, queued.count)
    if order.reason == Reason.NO_NUMBER_AVAILABLE:
        values["n"] = 10
    return values


def _released(order: Order, explained: Explanation) -> Explanation:
    """What is not placed now may have been placed before the hold it was released from."""
    is_known = order.settled_at or order.reason == reconciliation.NOT_FOUND_THERE
    if order.released_from is None or is_known:
        return explained
    before = _("It may have been ordered before the hold that began at %(time)s.")
    before %= {"time": short_time(order.released_from.started_at)}
    return replace(explained, text=join_sentences(explained.text, before), money=MoneyLine.UNKNOWN)


def _reasoned(order: Order, reader: Reader) -> Explanation:
    if order.settled_at:
        return Explanation(
            text=_("Confirmed by a staff member: no number was rented."), money=MoneyLine.NOT_SPENT
        )
    explained = _explain_reason(order, reader)
    return explained if explained.money else replace(explained, money=MoneyLine.NOT_SENT)


def _explain_reason(order: Order, reader: Reader) -> Explanation:
    pause = pause_fact(order.account, order.reason, order.answered_at or order.ended_at)
    may_fix = may_fix_accounts(reader)
    explained = explain(
        order.reason, words=order.words, pause=pause, may_fix=may_fix, **_values(order)
    )
    if pause and pause.is_over and order.state in (S.REFUSED, S.NOT_CREATED):
        return replace(explained, next_step=_("Rent a number again if it is still needed."))
    return explained


def title_of(order: Order) -> str:
    """What went wrong, in one line for lists."""
    return explain(order.reason, words=order.words, **_values(order)).title if order.reason else ""


def _unknown(order: Order, reader: Reader) -> Explanation:
    since = order.answered_at or order.created_at
    until = short_time(since + reconciliation.SEARCH_PERIOD)
    explained = explain(order.reason, words=order.words, **_values(order))
    if clock.now() > since + reconciliation.SEARCH_PERIOD:
        text = _("The portal checked but could not determine the outcome.")
        step = _("A manager can compare with the provider's own list and set the outcome.")
        if reader is None or reader.has_perm("rentals.resolve_order"):  # type: ignore[union-attr]
            # The page asks for it above the buttons.
            step = ""
    else:
        text = _("The portal will keep checking the provider's order list until %(time)s.") % {
            "time": until
        }
        step = _("Do not order again before then.")
    title = _("A number may have been rented.")
    return Explanation(title, join_sentences(explained.title, text), step, MoneyLine.UNKNOWN)


def _pending(order: Order, shown: str) -> Explanation:
    cancels = list(order.cancels.all())
    if cancels and cancels[-1].state in (CancelState.REFUSED, CancelState.NOT_DONE):
        return Explanation(
            text=_("Not cancelled; the order is still active."),
            money=MoneyLine.ACCEPTED,
        )
    if cancel_requests.is_being_cancelled(order):
        unclear = cancels[-1].state == CancelState.UNCLEAR
        if unclear:
            return Explanation(
                _("It is not yet known whether the order was cancelled."),
                _("Checking with the provider."),
                _("Wait a moment."),
                MoneyLine.UNKNOWN,
            )
        return Explanation(text=_("Cancelling …"), money=MoneyLine.ACCEPTED)
    if shown == S.EXPIRED_UNCONFIRMED:
        until = short_time(poll_intervals.gives_up_at(order))
        text = _(
            "The order has expired; the provider still shows it as waiting. Checking until"
            " %(time)s."
        )
        return Explanation(text=text % {"time": until}, money=MoneyLine.ACCEPTED)
    if is_not_found(order):
        return Explanation(
            _("The provider reports that it has no such order."),
            _("The portal will keep checking until the order expires."),
            _("Compare with the provider's own list."),
            MoneyLine.UNKNOWN,
        )
    if order.cancel_at:
        text = _("Will be cancelled automatically at %(time)s if no SMS has arrived.")
        return Explanation(
            text=text % {"time": short_time(order.cancel_at)}, money=MoneyLine.ACCEPTED
        )
    return Explanation(money=MoneyLine.ACCEPTED)


def _received(order: Order) -> Explanation:
    if any(one.state == CancelState.REFUSED for one in order.cancels.all()):
        return Explanation(
            _("The order was not cancelled because the SMS has already arrived."),
            _("The code is shown above."),
            _("Use it."),
            MoneyLine.ACCEPTED,
        )
    if not (order.code or order.content):
        return Explanation(
            text=_("The provider reports an SMS but returned neither code nor text."),
            money=MoneyLine.ACCEPTED,
        )
    waited = order.sms_at - order.placed_at if order.sms_at and order.placed_at else None
    text = _("Received %(took)s after the number was rented.") % {"took": duration(waited)}
    return Explanation(text=text if waited else "", money=MoneyLine.ACCEPTED)


def _refund_line(order: Order) -> str:
    """The refund according to the provider's transactions, never by our own reckoning."""
    rows = list(transactions_of(order))
    refunds = [row for row in rows if row.type == REFUND]
    if refunds:
        n = amount(refunds[0].amount)
        if order.state == S.CANCELLED:
            return _("Cancelled. A refund of %(n)s appears in the transactions.") % {"n": n}
        return _("A refund of %(n)s appears in the transactions.") % {"n": n}
    if order.state == S.CANCELLED:
        return _("Cancelled. No refund found yet.")
    return _("No refund found yet.") if any(row.type == HOLD for row in rows) else ""


def _not_rented(order: Order) -> str:
    if cancel_requests.ANOTHER_OVER_LIMIT in order.warnings:
        return _("No other number was rented: the daily limit has been reached.")
    if cancel_requests.ANOTHER_NOT_ALLOWED in order.warnings:
        return _(
            "No other number was rented: the person who requested it no longer has permission."
        )
    if cancel_requests.ANOTHER_FROM_BEFORE in order.warnings:
        return _(
            "No other number was rented: it was asked for before a hold, and may have been rented"
            " then."
        )
    return ""


def transactions_of(order: Order) -> list[Transaction]:
    if not order.provider_id:
        return []
    rows = Transaction.objects.filter(account=order.account_id, order_provider_id=order.provider_id)
    return list(rows.order_by("created_there", "pk"))
