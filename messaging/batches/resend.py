"""Resend undelivered messages as a new batch that links to its originals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from core.phones import erased as erased_numbers

from ..models import Batch, FilePart, Message
from ..states import NEVER_LEFT, MessageState
from . import create

S = MessageState

NOT_DELIVERED: Final = (S.UNDELIVERED, S.EXPIRED, S.REJECTED, S.REFUSED, S.NOT_SENT)
"""States in which a message certainly did not arrive. Unknown outcomes must be settled first."""
CHUNK: Final = 1_000
MAX_CHOSEN: Final = 5_000
"""Limit for messages chosen in the list. Larger numbers are resent from their batch."""


class MixedSelection(ValueError):
    """The chosen messages differ in account, kind or sender ID; a batch has one of each."""


def resendable(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Those of `messages` that may be resent: undelivered texts that were not resent before."""
    resent = Message.objects.filter(sent_again_from=OuterRef("pk")).exclude(state__in=NEVER_LEFT)
    whole = messages.exclude(recipient__startswith=erased_numbers.START).exclude(text="")
    return whole.filter(~Exists(resent), kind=Message.Kind.TEXT, state__in=NOT_DELIVERED)


def count_resendable(batch: Batch) -> int:
    return resendable(Message.objects.filter(batch=batch)).count()


def resend_batch(batch: Batch, by: User, form_token: str) -> Batch:
    return create.create_resend(
        create.ResendDraft(batch.account, batch.sms_kind, batch.sender_id, batch.text, batch),
        by=by,
        form_token=form_token,
    )


def resend_messages(messages: QuerySet[Message], by: User, form_token: str) -> Batch:
    """Resend the resendable ones among `messages`.

    Raises `MixedSelection` if they differ in account, kind or sender ID, and plain ValueError if
    there are none or more than `MAX_CHOSEN`.
    """
    chosen = resendable(messages).order_by("pk")[: MAX_CHOSEN + 1]
    found = list(chosen.select_related("account"))
    if not 0 < len(found) <= MAX_CHOSEN:
        raise ValueError("Nothing to send again, or too much.")
    first = found[0]
    kinds = {(one.account_id, one.sms_kind, one.sender_id) for one in found}
    if len(kinds) > 1:
        raise MixedSelection
    draft = create.ResendDraft(first.account, first.sms_kind, first.sender_id, "", None)
    return create.create_resend(
        draft, by=by, form_token=form_token, chosen=[one.pk for one in found]
    )


def originals_of(batch: Batch) -> Iterator[Message]:
    """Yield the messages that a batch resends, oldest first.

    They are fetched in chunks because the caller writes in between: on SQLite a transaction that
    begins while a SELECT is open fails as soon as another connection has written.
    """
    if batch.sent_again_from_id:
        found = resendable(Message.objects.filter(batch=batch.sent_again_from_id))
    else:
        found = resendable(Message.objects.filter(pk__in=_chosen(batch)))
    found, last = found.order_by("pk"), 0
    while chunk := list(found.filter(pk__gt=last)[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def _chosen(batch: Batch) -> Sequence[int]:
    parts = FilePart.objects.filter(batch=batch).order_by("number")
    stored = b"".join(bytes(data) for data in parts.values_list("data", flat=True))
    return [int(pk) for pk in json.loads(stored or b"[]")]
