"""Who sees whole messages and batches, and what all others see instead."""

from __future__ import annotations

from typing import Final

from django.utils.translation import ngettext

from core.phones.erased import is_erased
from core.visibility import OWN_VISIBLE_FOR, Permissions
from core.visibility import register as register_rule
from providers import clock

from ..models import Batch, DoNotSend, Message

REVEAL: Final = "messaging.reveal_message"


def register() -> None:
    register_rule(Message, Permissions("messaging.view_message", REVEAL), _typist_of)
    register_rule(Batch, Permissions("messaging.view_batch", REVEAL), _uploader_of)
    register_rule(DoNotSend, Permissions("messaging.view_donotsend", REVEAL), _nobody)


def _typist_of(message: Message) -> frozenset[int | None]:
    """Who typed the number, for a while. Sending a message does not mean having typed it."""
    if is_erased(message.recipient):
        return frozenset()
    if message.typed_at is None or clock.now() - message.typed_at >= OWN_VISIBLE_FOR:
        return frozenset()
    return frozenset({message.typed_by_id})


def _uploader_of(batch: Batch) -> frozenset[int | None]:
    """The creator, until the batch starts.

    A resend is excluded, because another person may have entered its recipients.
    """
    if batch.source == Batch.Source.AGAIN or batch.started_at is not None:
        return frozenset()
    return frozenset({batch.created_by_id})


def _nobody(entry: DoNotSend) -> frozenset[int | None]:
    return frozenset()


def shown_text(message: Message, *, whole: bool) -> str:
    """Return the text, or its length if it is masked. The text around a code is not secret.

    Of a text that was deleted, only the length is known.
    """
    if message.length is not None and not message.text:
        deleted = ngettext(
            "deleted text, %(count)s character",
            "deleted text, %(count)s characters",
            message.length,
        )
        return deleted % {"count": message.length}
    if whole or message.is_code:
        return message.text
    return ngettext("%(count)s character", "%(count)s characters", len(message.text)) % {
        "count": len(message.text)
    }
