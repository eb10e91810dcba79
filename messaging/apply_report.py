"""Apply a provider's reports to messages.

Reports arrive late, twice and out of order, so a message's state follows from the set of its
reports and not from their order: the strongest report applies. Nothing here sends, verifies a
code or changes money.
"""

from __future__ import annotations

import re
from typing import Final

from core.redaction import storable
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.gateway.vocabulary import DeliveryState as D

from . import listeners
from .crossed_ids import id_to_remember, message_named_beside
from .models import Message, Report
from .on_hold import is_on_hold
from .states import MESSAGE_STATES, MessageState

S = MessageState

STATE_OF: Final[dict[str, MessageState]] = {
    D.SUBMITTED: S.SUBMITTED,
    # The provider has the message and does not know whether it arrived.
    D.UNKNOWN_REPORT: S.SUBMITTED,
    D.IN_TRANSIT: S.IN_TRANSIT,
    D.EXPIRED: S.EXPIRED,
    D.UNDELIVERED: S.UNDELIVERED,
    D.REJECTED: S.REJECTED,
    D.DELIVERED: S.DELIVERED,
}
ORDER: Final = tuple(STATE_OF)
"""Total order of reports, weakest first."""
FINAL: Final = frozenset({D.EXPIRED, D.UNDELIVERED, D.REJECTED, D.DELIVERED})
NOT_YET_SENT: Final = frozenset({S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED})
"""States of a message that, as far as we know, has not left.

Only the provider could know our reference, so the message did leave. The report applies, the page
shows the conflict, and the message is not sent a second time. For a message on hold it is no
conflict: only the provider can know what the report contains."""
ENDED_UNSENT: Final = frozenset({S.CANCELLED, S.REFUSED})
"""States of a message that ended without leaving. A report is a conflict and moves nothing."""
FAILURES: Final = FINAL - {D.DELIVERED}
TWO_MESSAGES: Final = "two_subjects"
SHARED_ID: Final = "shared_id"
"""Problems of reports, as `providers.presentation.callback_texts` explains them."""
OUR_REFERENCE: Final = re.compile(r"[0-9a-f]{32}")


def on_delivery(received: ReceivedEvent) -> Match | None:
    """Apply a delivery report; None if no message matches.

    1. Find and lock the message.
    2. Store the report, whatever it says.
    3. Move the message to the state of its strongest report, if the state table allows that.
    4. Notify the owner of the message.
    5. If the message did not move, still record the conflict, the provider's id and the time.
    """
    event = received.event
    found = find_message(received)
    if found is None or not isinstance(event, DeliveryReported):
        return _unmatched(received)
    message, matched_by = found
    other = message_named_beside(received, message)
    _store_report(received, message, Report.Kind.DELIVERY, event.state, other)
    reported = _reported_states(message)
    strongest = max(reported, key=ORDER.index)
    conflict = bool(message.conflict or other or _has_conflict(message, reported))
    provider_id = message.provider_id or ("" if other else _provider_id_in(received))
    moved = _move_state(received, message, STATE_OF[strongest], conflict, provider_id)
    listeners.notify([(message.pk, message.belongs_to)])
    if not moved:
        Message.objects.filter(pk=message.pk).update(
            conflict=conflict,
            provider_id=provider_id,
            reported_at=message.reported_at or received.at,
        )
    conflicts = other is not None or _conflicts(event.state, message, strongest)
    return _match(message, matched_by, other, conflicts=conflicts)


def on_verification(received: ReceivedEvent) -> Match | None:
    """Store the provider's result of a code check as evidence; it moves no message."""
    found = find_message(received)
    if found is None or not isinstance(received.event, VerificationReported):
        return _unmatched(received)
    message, matched_by = found
    other = message_named_beside(received, message)
    state = "succeeded" if received.event.succeeded else "failed"
    _store_report(received, message, Report.Kind.VERIFICATION, state, other)
    # A code that was never sent cannot have been checked.
    conflict = received.event.succeeded and message.state in ENDED_UNSENT | {S.NOT_SENT}
    return _match(message, matched_by, other, conflicts=conflict or other is not None)


def on_unrecognised(received: ReceivedEvent) -> Match | None:
    """Store a report that the portal cannot read, beside its message. It changes no state."""
    found = find_message(received)
    if found is None:
        return _unmatched(received)
    message, matched_by = found
    other = message_named_beside(received, message)
    _store_report(received, message, Report.Kind.UNRECOGNISED, "", other)
    return _match(message, matched_by, other, conflicts=other is not None)


def find_message(received: ReceivedEvent) -> tuple[Message, str] | None:
    """Lock and return the message of an event, and how it was matched; None without a match.

    Only messages of the event's account qualify. Our reference is tried first, then the
    provider's id. A reference in our format that is unknown belongs to another system, so the
    id beside it is ignored. An id that two messages share identifies neither.
    """
    # Load only the columns needed: this runs for every report of a batch.
    of_account = (
        Message.objects.filter(account=received.account.pk)
        .only("state", "provider_id", "conflict", "reported_at", "belongs_to", "hold", "batch")
        .select_for_update(of=("self",))
    )
    reference, provider_id = (
        storable(received.event.reference),
        storable(received.event.provider_id),
    )
    if OUR_REFERENCE.fullmatch(reference.lower()):
        reference = reference.lower()
    if reference:
        named = list(of_account.filter(reference=reference[:64]))
        if named:
            return named[0], "reference"
        if OUR_REFERENCE.fullmatch(reference):
            return None
    if not provider_id:
        return None
    # Without exclude(), SQLite would not use the partial index.
    by_id = of_account.filter(provider_id=provider_id[:200]).exclude(provider_id="")
    named = list(by_id[:2])
    return (named[0], "provider_id") if len(named) == 1 else None


def _match(message: Message, matched_by: str, other: Message | None, *, conflicts: bool) -> Match:
    return Match(
        f"message:{message.pk}",
        Effect.CONFLICT if conflicts else Effect.APPLIED,
        matched_by,
        other=f"message:{other.pk}" if other else "",
        problem=TWO_MESSAGES if other else "",
    )


def _unmatched(received: ReceivedEvent) -> Match | None:
    """The result for an event that names no single message: it may name several."""
    provider_id = _provider_id_in(received)
    if not provider_id or OUR_REFERENCE.fullmatch(received.event.reference.lower()):
        return None
    named = Message.objects.filter(account=received.account.pk, provider_id=provider_id)
    named = named.exclude(provider_id="")
    if len(named.values_list("pk")[:2]) < 2:
        return None
    return Match("", Effect.AMBIGUOUS, "provider_id", problem=SHARED_ID)


def _store_report(
    received: ReceivedEvent,
    message: Message,
    kind: Report.Kind,
    state: str,
    other: Message | None,
) -> None:
    """Upsert the report, so that processing a callback again stores nothing twice.

    A report that names another message as well is flagged on both.
    """
    report = Report(
        message=message,
        callback_id=received.callback_id,
        position=received.position,
        kind=kind,
        state=state,
        words=storable(received.event.words),
        at=received.at,
        other=other,
        named_id=id_to_remember(received, message, other),
    )
    Report.objects.bulk_create(
        [report],
        update_conflicts=True,
        unique_fields=("message", "callback", "position"),
        update_fields=("kind", "state", "words", "at", "other", "named_id"),
    )
    if other is not None:
        Message.objects.filter(pk__in=(message.pk, other.pk)).update(conflict=True)


def _reported_states(message: Message) -> set[D]:
    delivery = message.reports.filter(kind=Report.Kind.DELIVERY)
    return {D(state) for state in delivery.values_list("state", flat=True)}


def _has_conflict(message: Message, reported: set[D]) -> bool:
    """Whether two final reports differ, or a report exists for a message that never left."""
    if len(reported & FINAL) > 1:
        return True
    if message.state == S.REFUSED:
        return not reported <= FAILURES
    return message.state in NOT_YET_SENT | ENDED_UNSENT and not is_on_hold(message)


def _conflicts(state: D, message: Message, strongest: D) -> bool:
    """Whether this report is the one that does not fit."""
    if message.state in NOT_YET_SENT | ENDED_UNSENT and not is_on_hold(message):
        return message.state != S.REFUSED or state not in FAILURES
    return state in FINAL and state != strongest


def _provider_id_in(received: ReceivedEvent) -> str:
    return storable(received.event.provider_id)[:200]


def _move_state(
    received: ReceivedEvent,
    message: Message,
    target: MessageState,
    conflict: bool,
    provider_id: str,
) -> bool:
    return bool(
        MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk),
            target,
            reported_at=received.at,
            conflict=conflict,
            provider_id=provider_id,
            # The message was sent, so the code is no longer needed.
            code="",
        )
    )
