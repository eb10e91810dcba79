"""Messages that need attention, for the dashboard and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item
from core.admin.once import once

from ..models import Message
from ..on_hold import ON_HOLD, count_on_hold, not_on_hold
from ..states import MessageState

S = MessageState


NEEDS_ATTENTION: Final = (S.UNKNOWN, S.HELD)
MAX_COUNTED: Final = 99


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """Yield the counts of unknown outcomes and of held messages, each linked to its list."""
    if not request.user.has_perm("messaging.view_message"):
        return
    unknown = Message.objects.filter(state=S.UNKNOWN).count()
    text = ngettext(
        "%(count)d message: outcome unknown", "%(count)d messages: outcome unknown", unknown
    )
    yield from counted_item(unknown, text, _list_url(S.UNKNOWN), "help")
    held = Message.objects.filter(not_on_hold(), state=S.HELD).count()
    text = ngettext(
        "%(count)d message needs confirmation", "%(count)d messages need confirmation", held
    )
    yield from counted_item(held, text, _list_url(S.HELD), "front_hand")
    kept = count_on_hold()
    text = ngettext("%(count)d message is on hold", "%(count)d messages are on hold", kept)
    yield from counted_item(kept, text, _list_url(ON_HOLD), "front_hand")


def badge(request: HttpRequest) -> int:
    return count_needing_attention(request)


def _list_url(state: str) -> str:
    return f"{reverse('admin:messaging_message_changelist')}?shown={state}"


def count_needing_attention(request: HttpRequest) -> int:
    """Count the messages that wait for a person, up to 100."""
    rows = Message.objects.filter(state__in=NEEDS_ATTENTION).order_by()
    return once(request, "messages needing attention", rows[: MAX_COUNTED + 1].count)
