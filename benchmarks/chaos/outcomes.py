"""Rows that contradict the sandbox's book. A row of unknown outcome contradicts nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from messaging.models import Message
from messaging.queue_message import WAITED_TOO_LONG
from otp.engine.check_source import NEVER_ASKED
from otp.models import Attempt, Session
from otp.states import SessionState
from rentals.models import Cancel, Order
from rentals.states import OrderState

from .codes import Codes
from .repeats import Pair, sent_by_haosms
from .sandbox_book import SandboxBook

UNKNOWN = "unknown"
WITH_SMS = (OrderState.RECEIVED, OrderState.COMPLETED)
WITHOUT_SMS = (OrderState.CANCELLED, OrderState.EXPIRED)
NOT_MADE = (OrderState.NOT_CREATED, OrderState.REFUSED)


def accepted_messages(book: SandboxBook) -> Counter[int]:
    """Message to the number of times its provider accepted it."""
    by_number = sent_by_haosms(book)
    references = Counter[str]()
    for provider in ("haorui", "otpservice"):
        references.update(book.sent[provider])
    accepted: Counter[int] = Counter()
    for row in Message.objects.select_related("account").defer("text"):
        of_haosms = row.account.provider == "haosms"
        accepted[row.pk] = by_number[row.recipient] if of_haosms else references[row.reference]
    return accepted


def wrong_messages(book: SandboxBook) -> Iterator[str]:
    accepted = accepted_messages(book)
    calls = sum(sum(references.values()) for references in book.sent.values())
    if calls != sum(accepted.values()):
        yield f"{calls} messages were accepted, of which we know {sum(accepted.values())}"
    for row in Message.objects.defer("text"):
        if not _message_agrees(row, accepted[row.pk]):
            description = f"message {row.pk} ({row.kind}) ended {row.state} {row.reason}"
            yield f"{description}, accepted {accepted[row.pk]} times"


def _message_agrees(row: Message, accepted: int) -> bool:
    if row.state == UNKNOWN:
        return True
    if row.state == "submitted":
        return accepted == 1
    # Cancelled batches, and codes that were no longer usable.
    stopped = row.state == "cancelled" and row.batch_id is not None
    too_old = row.is_code and row.state == "not_sent" and row.reason == WAITED_TOO_LONG
    return (stopped or too_old) and accepted == 0


def wrong_checks(book: SandboxBook, codes: Codes) -> Iterator[str]:
    unexpected = set(book.checks) - set(codes.checked.values())
    yield from (f"{one} was checked, without an attempt" for one in sorted(unexpected))
    for attempt in Attempt.objects.filter(account__provider="otpservice"):
        checked = codes.checked[attempt.pk]
        calls, passed = book.checks[checked], checked in book.passed
        good = {
            "right": calls == 1 and passed,
            "wrong": calls == 1 and not passed,
            "not_done": calls == 0 and attempt.reason == NEVER_ASKED,
            UNKNOWN: True,
        }
        if not good.get(attempt.state, False):
            description = f"check {attempt.pk} ended {attempt.state} {attempt.reason}"
            yield f"{description}, made {calls} times, {'passed' if passed else 'not passed'}"
    for session in Session.objects.filter(state=SessionState.PENDING):
        yield f"code session {session.pk} does not have the outcome of its message"
    verified = Session.objects.filter(state=SessionState.VERIFIED)
    for session in verified.exclude(attempts__state="right"):
        yield f"code session {session.pk} is verified without a right code"


def wrong_orders(book: SandboxBook) -> Iterator[str]:
    made = {one: pair for pair, ids in book.orders.items() for one in ids}
    for order in Order.objects.select_related("account").filter(imported=False):
        pair = order.account.name, order.project, order.region
        if order.provider_id and made.get(order.provider_id) != pair:
            yield f"order {order.pk} holds {order.provider_id}, which was not made for it"
        problem = _problem_of(order, pair, book)
        if problem:
            yield f"order {order.pk} ended {order.state} {order.reason}: {problem}"


def _problem_of(order: Order, pair: Pair, book: SandboxBook) -> str:
    """The contradiction between an order's final state and the book, or an empty text."""
    sms = book.sms_codes.get(order.provider_id)
    if order.state == UNKNOWN:
        return ""
    if order.state in WITH_SMS:
        same = bool(order.code) and order.code.reveal() == sms
        return "" if same else "its code is not the one that arrived"
    if order.state in WITHOUT_SMS:
        cancelled = order.provider_id in book.cancelled
        agrees = not sms and cancelled == (order.state == OrderState.CANCELLED)
        return "" if agrees else f"SMS there {bool(sms)}, cancelled there {cancelled}"
    if order.state in NOT_MADE:
        ids = book.orders.get(pair, [])
        known = Order.objects.filter(account=order.account, provider_id__in=ids).count()
        return "" if known == len(ids) else "the provider rented a number for it"
    return "that is no end"


def wrong_cancels(book: SandboxBook) -> Iterator[str]:
    for cancel in Cancel.objects.select_related("order"):
        if cancel.state == "accepted" and cancel.order.provider_id not in book.cancelled:
            yield f"cancel {cancel.pk} ended accepted, but the order is not cancelled there"
        elif cancel.state in ("queued", "claimed", "sending"):
            yield f"cancel {cancel.pk} ended {cancel.state}"
