"""Calls in the sandbox's book that our rows do not explain, and rows that contradict it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from messaging.models import Batch, Message
from messaging.states import REPORTS, MessageState
from otp.codes import digest
from otp.models import Attempt, Session
from otp.states import UNDER_WAY, AttemptState, SessionState
from rentals.models import Cancel, Order

from ..chaos import repeats
from ..chaos.repeats import Pair
from .past import NOTED_LATE, Past, is_lost, may_repeat
from .soak_book import SoakBook
from .staff import Form

WAS_SENT = REPORTS | {MessageState.SUBMITTED}
NEVER_SENT = frozenset({MessageState.NOT_SENT, MessageState.REFUSED, MessageState.CANCELLED})

ANSWERED = frozenset({AttemptState.RIGHT, AttemptState.WRONG})
NOT_MADE = frozenset({AttemptState.NOT_DONE, AttemptState.REFUSED})


def repeated_sends(book: SoakBook, past: Past | None) -> Iterator[str]:
    """Repeated sends. HaoSMS takes no reference, but every number gets one code only."""
    for reference, times in _sends(book).items():
        if len(times) > 1 and not may_repeat(past, reference, times):
            yield f"{reference} was sent {len(times)} times, at {times}"


def _sends(book: SoakBook) -> dict[str, list[float]]:
    """When each message was accepted, by its reference or, at HaoSMS, its number."""
    found: dict[str, list[float]] = defaultdict(list)
    for provider, references in book.sent.items():
        for reference in references:
            key = f"+86{reference.partition(':')[0]}" if provider == "haosms" else reference
            found[key] += book.accepted_at[reference]
    return found


def wrong_messages(book: SoakBook, past: Past | None) -> Iterator[str]:
    sends, known = _sends(book), set[str]()
    for row in Message.objects.select_related("account").defer("text").iterator():
        key = row.recipient if row.account.provider == "haosms" else row.reference
        known.add(key)
        times = len(sends.get(key, ()))
        if row.state in WAS_SENT:
            agrees = times >= 1
        elif row.state in NEVER_SENT:
            agrees = times == 0
        else:
            agrees = row.state == MessageState.UNKNOWN
        if not agrees:
            words = f"message {row.pk} ({row.kind}, {row.account.name}) is {row.state} {row.reason}"
            yield f"{words}, accepted {times} times"
    for key, times_sent in sends.items():
        if key not in known and not is_lost(past, times_sent):
            yield f"{key} was sent at {times_sent}, and no row has it"


def wrong_checks(book: SoakBook, checked: dict[str, tuple[str, str]]) -> Iterator[str]:
    """`checked`: the form's token to the provider's session id and the code."""
    yield from repeats.repeated_checks(book.checks_done, checked.values())
    unexpected = set(book.checks_done) - set(checked.values())
    yield from (f"{one} was checked, without a form" for one in sorted(unexpected))
    yield from _wrong_attempts(book, checked)
    yield from _wrong_sessions()


def _wrong_attempts(book: SoakBook, checked: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Attempts that contradict the book. The same code may have been checked more than once."""
    by_digest = {digest(token, 0, pair[1]): pair for token, pair in checked.items()}
    forms = Counter(checked.values())
    never_made: Counter[tuple[str, str]] = Counter()
    for attempt in Attempt.objects.filter(account__provider="otpservice"):
        pair = by_digest.get(attempt.form_token or "")
        if pair is None:
            continue
        calls, passed = book.checks_done[pair], pair in book.passed
        never_made[pair] += attempt.state in NOT_MADE
        if (attempt.state == AttemptState.RIGHT and not passed) or (
            attempt.state in ANSWERED and calls == 0
        ):
            words = f"check {attempt.pk} is {attempt.state} {attempt.reason}"
            yield f"{words}, made {calls} times, {'passed' if passed else 'not passed'}"
        if attempt.state in UNDER_WAY:
            yield f"check {attempt.pk} is {attempt.state}"
    for pair, number in never_made.items():
        if book.checks_done[pair] > forms[pair] - number:
            yield f"{pair} was checked {book.checks_done[pair]} times, {number} never"


def _wrong_sessions() -> Iterator[str]:
    for session in Session.objects.filter(state=SessionState.PENDING):
        yield f"code session {session.pk} does not have the outcome of its message"
    verified = Session.objects.filter(state=SessionState.VERIFIED)
    for session in verified.exclude(attempts__state=AttemptState.RIGHT):
        yield f"code session {session.pk} is verified without a right code"


def repeated_orders(book: SoakBook, past: Past | None) -> Iterator[str]:
    """Numbers that were rented more often than orders explain, by account, app and country."""
    if past is None:
        yield from repeats.repeated_orders(book)
        return
    rows: dict[Pair, list[Order]] = defaultdict(list)
    for order in Order.objects.filter(imported=False).select_related("account"):
        rows[order.account.name, order.project, order.region].append(order)
    for pair, made in book.orders.items():
        lost = [one for one in made if is_lost(past, book.accepted_at[one])]
        again = [one for one in made if book.accepted_at[one][0] > past.restored_at]
        repeated = again and set(lost) - set(again) and " ".join(pair) not in past.released
        if len(made) - len(lost) > len(rows[pair]) or repeated:
            yield f"{len(made)} numbers were rented for {len(rows[pair])} orders of {pair}"


def orders_taken_back(book: SoakBook, past: Past | None) -> int:
    """Orders in the book whose rows a restore took back."""
    known = set(Order.objects.values_list("provider_id", flat=True))
    ids = {one for made in book.orders.values() for one in made} - known
    return sum(is_lost(past, book.accepted_at[one]) for one in ids)


def repeated_cancels(book: SoakBook, past: Past | None) -> Iterator[str]:
    requests = Counter(Cancel.objects.values_list("order__provider_id", flat=True))
    for order, times in book.cancels_done.items():
        if len(times) > requests[order] and not is_lost(
            past, times[: len(times) - requests[order]]
        ):
            yield f"order {order} was cancelled {len(times)} times for {requests[order]} requests"


def lost_forms(forms: list[Form], past: Past | None) -> Iterator[str]:
    """Forms that were answered with success and have no row."""
    tokens: dict[str, set[str | None]] = {
        "send": set(Message.objects.values_list("form_token", flat=True)),
        "code": set(Session.objects.values_list("form_token", flat=True)),
        "rent": set(Order.objects.values_list("form_token", flat=True)),
        "batch": set(Batch.objects.values_list("form_token", flat=True)),
    }
    for form in forms:
        found = tokens.get(form.kind)
        if found is None or form.answered_at is None or form.token in found:
            continue
        if not is_lost(past, [form.answered_at], late=NOTED_LATE):
            yield f"a form ({form.kind}) answered at {form.answered_at} has no row"
