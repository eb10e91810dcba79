"""What a provider reports about a message: found by our reference first, then by its id.

The state of a message follows from the set of its reports, not from their order: the
strongest one stands. Nothing here ever sends, verifies a code or changes money.
"""

from __future__ import annotations

import re
from typing import Final

from core.redaction import storable
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.gateway.vocabulary import DeliveryState as D

from . import listeners
from .models import Message, Report
from .states import MESSAGE_STATES, MessageState

S = MessageState

STATE_OF: Final[dict[str, MessageState]] = {
    D.SUBMITTED: S.SUBMITTED,
    # The provider has it and does not know more: no news about its arrival.
    D.UNKNOWN_REPORT: S.SUBMITTED,
    D.IN_TRANSIT: S.IN_TRANSIT,
    D.EXPIRED: S.EXPIRED,
    D.UNDELIVERED: S.UNDELIVERED,
    D.REJECTED: S.REJECTED,
    D.DELIVERED: S.DELIVERED,
}
ORDER: Final = tuple(STATE_OF)
"""The one total order of reports, weakest first."""
FINAL: Final = frozenset({D.EXPIRED, D.UNDELIVERED, D.REJECTED, D.DELIVERED})
NOT_YET_SENT: Final = frozenset({S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED})
"""As far as we know it has not left. Only the provider could know our reference, so it has:
the report stands, the contradiction shows, and above all it is not sent a second time."""
ENDED_UNSENT: Final = frozenset({S.CANCELLED, S.REFUSED})
"""Ended without having left. A report contradicts that and does not move it."""
FAILURES: Final = FINAL - {D.DELIVERED}
OUR_REFERENCE: Final = re.compile(r"[0-9a-f]{32}")


def on_delivery(received: ReceivedEvent) -> Match | None:
    """A delivery report. It moves the message up the one order of reports, or only adds to
    what is kept of it."""
    event = received.event
    found = find_message(received)
    if found is None or not isinstance(event, DeliveryReported):
        return None
    message, matched_by = found
    _store_report(received, message, Report.Kind.DELIVERY, event.state)
    reported = _reported_states(message)
    strongest = max(reported, key=ORDER.index)
    conflict = message.conflict or _has_conflict(message, reported)
    moved = _move_state(received, message, STATE_OF[strongest], conflict)
    listeners.notify([(message.pk, message.belongs_to)])
    if not moved:
        Message.objects.filter(pk=message.pk).update(
            conflict=conflict,
            provider_id=message.provider_id or _provider_id_in(received),
            reported_at=message.reported_at or received.at,
        )
    effect = Effect.CONFLICT if _conflicts(event.state, message, strongest) else Effect.APPLIED
    return Match(f"message:{message.pk}", effect, matched_by)


def on_verification(received: ReceivedEvent) -> Match | None:
    """The provider's word on a check of a code: evidence beside the message, no more."""
    found = find_message(received)
    if found is None or not isinstance(received.event, VerificationReported):
        return None
    message, matched_by = found
    state = "succeeded" if received.event.succeeded else "failed"
    _store_report(received, message, Report.Kind.VERIFICATION, state)
    # A code that never went out cannot have been checked.
    odd = received.event.succeeded and message.state in ENDED_UNSENT | {S.NOT_SENT}
    effect = Effect.CONFLICT if odd else Effect.APPLIED
    return Match(f"message:{message.pk}", effect, matched_by)


def on_unrecognised(received: ReceivedEvent) -> Match | None:
    """A report that nobody understands changes nothing; its message is named all the same."""
    found = find_message(received)
    if found is None:
        return None
    message, matched_by = found
    _store_report(received, message, Report.Kind.UNRECOGNISED, "")
    return Match(f"message:{message.pk}", matched_by=matched_by)


def find_message(received: ReceivedEvent) -> tuple[Message, str] | None:
    """The message that is meant, locked; of this account only.

    A reference that looks like ours and is not known is somebody else's, so the provider's
    id beside it is not believed. An id that two messages have tells nothing.
    """
    # No more of it than is needed here, since this runs for every report of a batch.
    of_account = (
        Message.objects.filter(account=received.account.pk)
        .only("state", "provider_id", "conflict", "reported_at", "belongs_to")
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
    named = list(of_account.filter(provider_id=provider_id[:200])[:2])
    return (named[0], "provider_id") if len(named) == 1 else None


def _store_report(received: ReceivedEvent, message: Message, kind: Report.Kind, state: str) -> None:
    """Reading the same callback again finds what it has left before."""
    report = Report(
        message=message,
        callback_id=received.callback_id,
        position=received.position,
        kind=kind,
        state=state,
        words=storable(received.event.words),
        at=received.at,
    )
    Report.objects.bulk_create(
        [report],
        update_conflicts=True,
        unique_fields=("message", "callback", "position"),
        update_fields=("kind", "state", "words", "at"),
    )


def _reported_states(message: Message) -> set[D]:
    delivery = message.reports.filter(kind=Report.Kind.DELIVERY)
    return {D(state) for state in delivery.values_list("state", flat=True)}


def _has_conflict(message: Message, reported: set[D]) -> bool:
    """Two final words that differ, or a report of what cannot have gone out."""
    if len(reported & FINAL) > 1:
        return True
    if message.state == S.REFUSED:
        return not reported <= FAILURES
    return message.state in NOT_YET_SENT | ENDED_UNSENT


def _conflicts(state: D, message: Message, strongest: D) -> bool:
    """Whether this very report is the one that does not fit."""
    if message.state in NOT_YET_SENT | ENDED_UNSENT:
        return message.state != S.REFUSED or state not in FAILURES
    return state in FINAL and state != strongest


def _provider_id_in(received: ReceivedEvent) -> str:
    return storable(received.event.provider_id)[:200]


def _move_state(
    received: ReceivedEvent, message: Message, target: MessageState, conflict: bool
) -> bool:
    return bool(
        MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk),
            target,
            reported_at=received.at,
            conflict=conflict,
            provider_id=message.provider_id or _provider_id_in(received),
            # It went out, so nobody needs the code any more.
            code="",
        )
    )
