"""Who sees the full number of a session. All others see it masked everywhere."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User

from messaging.presentation.visibility import OWN_VISIBLE_FOR
from providers import clock

from ..models import Session


def may_see_whole(session: Session, user: User | AnonymousUser) -> bool:
    """The sender of the code sees it for half an hour, to read the number back."""
    own = session.created_by_id == user.pk
    return own and clock.now() - session.created_at < OWN_VISIBLE_FOR
