"""Whether the same went to the same number lately. A warning, never a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from . import segments
from .models import Message
from .queue_message import Draft
from .states import MessageState

SAME_TEXT: Final = timedelta(hours=24)
ANOTHER_CODE: Final = timedelta(minutes=2)
NEVER_LEFT: Final = (MessageState.CANCELLED, MessageState.NOT_SENT, MessageState.REFUSED)


def earlier_like(draft: Draft) -> Message | None:
    """The newest message that says the same to this number and may have left."""
    sent = Message.objects.filter(recipient=draft.recipient.e164).exclude(state__in=NEVER_LEFT)
    now = timezone.now()
    if draft.kind == Message.Kind.TEXT:
        sent = sent.filter(text=segments.fold(draft.text), created_at__gt=now - SAME_TEXT)
    else:
        sent = sent.filter(created_at__gt=now - ANOTHER_CODE)
    return sent.filter(kind=draft.kind).select_related("created_by").order_by("-pk").first()
