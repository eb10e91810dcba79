"""Who sees the full number of a session. All others see it masked everywhere."""

from __future__ import annotations

from core.phones.erased import is_erased
from core.visibility import OWN_VISIBLE_FOR, Permissions
from core.visibility import register as register_rule
from providers import clock

from ..models import Session

PERMISSIONS = Permissions("otp.view_session", "messaging.reveal_message")


def register() -> None:
    register_rule(Session, PERMISSIONS, _typist_of)


def _typist_of(session: Session) -> frozenset[int | None]:
    """Whoever started the session typed its number and sees it for a while."""
    if is_erased(session.recipient) or clock.now() - session.created_at >= OWN_VISIBLE_FOR:
        return frozenset()
    return frozenset({session.created_by_id})
