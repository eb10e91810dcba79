"""What of the messages needs a hand, for the dashboard and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item

from ..models import Message
from ..states import MessageState

S = MessageState


NEEDS_A_HAND: Final = (S.UNKNOWN, S.HELD)
MOST_SHOWN: Final = 99


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """Unknown outcomes and messages that wait for a go-ahead, each opening its rows."""
    if not request.user.has_perm("messaging.view_message"):
        return
    unknown = Message.objects.filter(state=S.UNKNOWN).count()
    text = ngettext(
        "%(count)d message: outcome unknown", "%(count)d messages: outcome unknown", unknown
    )
    yield from counted_item(unknown, text, _list_of(S.UNKNOWN), "help")
    held = Message.objects.filter(state=S.HELD).count()
    text = ngettext(
        "%(count)d message needs a go-ahead", "%(count)d messages need a go-ahead", held
    )
    yield from counted_item(held, text, _list_of(S.HELD), "front_hand")


def badge(request: HttpRequest) -> int:
    return needing_a_hand()


def _list_of(state: MessageState) -> str:
    return f"{reverse('admin:messaging_message_changelist')}?shown={state}"


def needing_a_hand() -> int:
    """How many messages wait for a person; more than 99 are not counted."""
    rows = Message.objects.filter(state__in=NEEDS_A_HAND)
    return rows.order_by()[: MOST_SHOWN + 1].count()
