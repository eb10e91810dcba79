"""Store a provider's unsolicited reports about checks.

Anybody who knows the callback address can send such a report, so it is evidence only and never
verifies a session.
"""

from __future__ import annotations

from messaging.apply_report import find_message
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import VerificationReported

from .models import SentCode, Session
from .states import UNDER_WAY, AttemptState, SessionState


def on_verification(received: ReceivedEvent) -> Match | None:
    """Record a reported verification. A success that contradicts the session is a conflict.

    Returns None if the report names no code of ours.
    """
    found = find_message(received)
    if found is None or not isinstance(received.event, VerificationReported):
        return None
    message, matched_by = found
    code = SentCode.objects.filter(message=message).select_related("session").first()
    if code is None:
        return None
    session = code.session
    if not received.event.succeeded:
        # Every wrong try is reported like this, even in a session that is later verified.
        return Match(subject_of(session), Effect.APPLIED, matched_by)
    Session.objects.filter(pk=session.pk, provider_says_verified_at=None).update(
        provider_says_verified_at=received.at
    )
    fits = session.state == SessionState.VERIFIED or _is_unanswered(code)
    return Match(subject_of(session), Effect.APPLIED if fits else Effect.CONFLICT, matched_by)


def _is_unanswered(code: SentCode) -> bool:
    """Whether a check of this code is under way or its answer was lost.

    The report may overtake the answer; then it contradicts nothing.
    """
    unanswered = [*sorted(UNDER_WAY), AttemptState.UNKNOWN]
    return code.session.attempts.filter(sent_code=code, state__in=unanswered).exists()


def subject_of(session: Session) -> str:
    """The session's subject in the journal."""
    return f"session:{session.pk}"
