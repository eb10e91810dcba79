"""Who sees the whole number of a session. Everybody else sees it masked, everywhere."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.masking import masked_number
from core.phone import grouped, mask
from messaging.visibility import OWN_FOR

from .models import Session


def may_see_whole(session: Session, user: User | AnonymousUser) -> bool:
    """Whoever sent the code, for half an hour, to read the number back."""
    own = session.created_by_id == user.pk
    return own and timezone.now() - session.created_at < OWN_FOR


def shown_number(session: Session, *, whole: bool) -> SafeString:
    if not whole:
        return masked_number(session.recipient)
    return format_html('<span class="number" dir="ltr">{}</span>', grouped(session.recipient))


def plain_number(session: Session, *, whole: bool) -> str:
    """Without markup, for titles and exports."""
    return grouped(session.recipient) if whole else mask(session.recipient)
