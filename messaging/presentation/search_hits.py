"""Messages, batches and templates in the search over all pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import pgettext

from core.admin.labels import state_label
from core.admin.search import MOST_HITS, Hit, HitGroup, Term
from core.masking import data, shown_number
from core.visibility import may_see_whole

from ..find_messages import find_messages
from ..models import Batch, Message, Template
from .batch_labels import shown_state as shown_batch_state
from .labels import shown_state
from .visibility import shown_text

NEWEST_BATCHES: Final = 200
"""Batches among whose names a text is looked for."""


def find_hits(request: HttpRequest, term: Term) -> Iterator[HitGroup]:
    may = request.user.has_perm
    if may("messaging.view_message") and not term.number:
        yield HitGroup(pgettext("search", "Messages"), _messages(request, term))
    if may("messaging.view_batch") and term.is_name:
        yield HitGroup(pgettext("search", "Batches"), _batches(term))
    if may("messaging.view_template") and term.is_name:
        yield HitGroup(pgettext("search", "Templates"), _templates(term))


def _messages(request: HttpRequest, term: Term) -> list[Hit]:
    """Messages with exactly this id."""
    keys = find_messages(term.text)[:MOST_HITS]
    found = Message.objects.select_related("account", "batch").in_bulk(keys)
    return [_message_hit(request, found[key]) for key in keys if key in found]


def _message_hit(request: HttpRequest, message: Message) -> Hit:
    whole = may_see_whole(message, request.user)
    return Hit(
        shown_number(message.recipient, whole=whole),
        reverse("admin:messaging_message_change", args=[message.public_id]),
        "sms",
        state_label("message", shown_state(message)),
        format_html('<bdi dir="auto">{}</bdi>', shown_text(message, whole=whole)),
        message.created_at,
    )


def _batches(term: Term) -> list[Hit]:
    newest = Batch.objects.select_related("account", "hold").order_by("-pk")[:NEWEST_BATCHES]
    found = [one for one in newest if term.text == one.public_id or term.is_in(one.title)]
    return [
        Hit(
            data(one.title),
            reverse("admin:messaging_batch_change", args=[one.public_id]),
            "stacks",
            state_label("batch", shown_batch_state(one)),
            data(one.account.name),
            one.created_at,
        )
        for one in found[:MOST_HITS]
    ]


def _templates(term: Term) -> list[Hit]:
    found = [one for one in Template.objects.all() if term.is_in(one.name)]
    return [
        Hit(data(one.name), reverse("admin:messaging_template_change", args=[one.pk]), "article")
        for one in found[:MOST_HITS]
    ]
