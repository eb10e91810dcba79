"""Who sees whole numbers and texts. All other readers see them masked on every page."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import ngettext

from providers import clock

from ..models import Message

OWN_VISIBLE_FOR: Final = timedelta(minutes=30)
"""How long the sender sees a message whole, to read it back on the phone."""


def may_see_whole(message: Message, user: User | AnonymousUser) -> bool:
    # Staff do not read the numbers of a batch back.
    own = message.created_by_id == user.pk and message.batch_id is None
    return own and clock.now() - message.created_at < OWN_VISIBLE_FOR


def shown_text(message: Message, *, whole: bool) -> str:
    """Return the text, or its length if it is masked. The text around a code is not secret."""
    if whole or message.is_code:
        return message.text
    return ngettext("%(count)s character", "%(count)s characters", len(message.text)) % {
        "count": len(message.text)
    }
