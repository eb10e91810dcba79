"""Sending again what was not delivered: a new batch, linked to what it repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from ..models import Batch, FilePart, Message
from ..states import NEVER_LEFT, MessageState
from . import create

S = MessageState

NOT_DELIVERED: Final = (S.UNDELIVERED, S.EXPIRED, S.REJECTED, S.REFUSED, S.NOT_SENT)
"""It is certain that these did not arrive. An unknown outcome is settled first."""
PIECE: Final = 1_000
MOST_CHOSEN: Final = 5_000
"""Messages of a list; more than these are better sent again from their batch."""


class NotAlike(ValueError):
    """A batch goes over one account, as one kind, from one sender."""


def repeatable(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Those of them that may be sent again: texts, and none twice."""
    again = Message.objects.filter(sent_again_from=OuterRef("pk")).exclude(state__in=NEVER_LEFT)
    return messages.filter(~Exists(again), kind=Message.Kind.TEXT, state__in=NOT_DELIVERED)


def of_batch(batch: Batch, by: User, form_token: str) -> Batch:
    return create.make_again(
        create.Again(batch.account, batch.sms_kind, batch.sender_id, batch.text, batch),
        by=by,
        form_token=form_token,
    )


def of_messages(messages: QuerySet[Message], by: User, form_token: str) -> Batch:
    """Raises `NotAlike`; ValueError also where there is none or there are too many."""
    chosen = repeatable(messages).order_by("pk")[: MOST_CHOSEN + 1]
    found = list(chosen.select_related("account"))
    if not 0 < len(found) <= MOST_CHOSEN:
        raise ValueError("Nothing to send again, or too much.")
    first = found[0]
    kinds = {(one.account_id, one.sms_kind, one.sender_id) for one in found}
    if len(kinds) > 1:
        raise NotAlike
    again = create.Again(first.account, first.sms_kind, first.sender_id, "", None)
    return create.make_again(again, by=by, form_token=form_token, chosen=[one.pk for one in found])


def originals_of(batch: Batch) -> Iterator[Message]:
    """The messages that a batch sends again, oldest first.

    Asked for piece by piece: what is found is written down in between, and on SQLite a
    transaction that begins while a SELECT is still open fails as soon as anybody else wrote."""
    if batch.sent_again_from_id:
        found = repeatable(Message.objects.filter(batch=batch.sent_again_from_id))
    else:
        found = repeatable(Message.objects.filter(pk__in=_chosen(batch)))
    found, last = found.order_by("pk"), 0
    while piece := list(found.filter(pk__gt=last)[:PIECE]):
        yield from piece
        last = piece[-1].pk


def _chosen(batch: Batch) -> Sequence[int]:
    parts = FilePart.objects.filter(batch=batch).order_by("number")
    kept = b"".join(bytes(data) for data in parts.values_list("data", flat=True))
    return [int(pk) for pk in json.loads(kept or b"[]")]
