"""What a provider reports about a check of its own accord. Evidence, and nothing more: anybody
who knows the address can send it, so it never verifies."""

from __future__ import annotations

from messaging.apply_report import find_message
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import VerificationReported

from .models import SentCode, Session
from .states import UNDER_WAY, AttemptState, SessionState


def on_verification(news: ReceivedEvent) -> Match | None:
    found = find_message(news)
    if found is None or not isinstance(news.event, VerificationReported):
        return None
    message, matched_by = found
    code = SentCode.objects.filter(message=message).select_related("session").first()
    if code is None:
        return None
    session = code.session
    if not news.event.succeeded:
        # Each wrong try is reported so, also of a session that is verified in the end.
        return Match(subject_of(session), Effect.APPLIED, matched_by)
    Session.objects.filter(pk=session.pk, provider_says_verified_at=None).update(
        provider_says_verified_at=news.at
    )
    fits = session.state == SessionState.VERIFIED or _is_awaited(code)
    return Match(subject_of(session), Effect.APPLIED if fits else Effect.CONFLICT, matched_by)


def _is_awaited(code: SentCode) -> bool:
    """Whether this code is just being checked, or the answer to that was lost: the report may
    overtake the answer, and contradicts nothing that is known."""
    unanswered = [*sorted(UNDER_WAY), AttemptState.UNKNOWN]
    return code.session.attempts.filter(sent_code=code, state__in=unanswered).exists()


def subject_of(session: Session) -> str:
    """As in the journal."""
    return f"session:{session.pk}"
