"""Settle a message whose outcome is unknown, or send it again.

Each decision needs a reason and is recorded with the person's name. Only the first decision
counts: a second person finds the message settled."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.stored_texts import Stored, StoredText, declare
from providers import clock
from providers.engine.wake import wake_engine

from . import listeners, queue_message
from .models import Message, reference
from .recipients import recipient_for
from .states import MESSAGE_STATES, NEVER_LEFT, MessageState

SETTLE_REASONS: Final[dict[str, StoredText]] = {
    "has": declare("outcome.has", _("Recipient received it")),
    "has_not": declare("outcome.has_not", _("Recipient did not receive it")),
    "console": declare("outcome.console", _("Verified in the provider's console")),
}

BY_CORRECT_CODE: Final = declare(
    "outcome.correct_code", _("The recipient read out the correct code")
)


def mark_sent(message: Message, by: User, because: Stored) -> bool:
    """Settle an unknown outcome as sent. False if it is no longer unknown."""
    return _settle(message, MessageState.SUBMITTED, by, because)


def mark_not_sent(message: Message, by: User, because: Stored) -> bool:
    """Settle an unknown outcome as not sent. False if it is no longer unknown."""
    return _settle(message, MessageState.NOT_SENT, by, because)


def settle_by_correct_code(messages: QuerySet[Message]) -> int:
    """Settle as sent the messages whose code a person read out; return how many.

    Those are messages whose outcome is unknown, and those on hold.
    """
    unsure = Q(state=MessageState.UNKNOWN) | Q(state=MessageState.HELD, hold__isnull=False)
    return MESSAGE_STATES.move(
        messages.filter(unsure),
        MessageState.SUBMITTED,
        sources=(MessageState.UNKNOWN, MessageState.HELD),
        settled_at=clock.now(),
        settled_because=BY_CORRECT_CODE.store(),
        code="",
    )


def _settle(message: Message, state: MessageState, by: User, because: Stored) -> bool:
    with transaction.atomic():
        settled = MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk),
            state,
            sources=(MessageState.UNKNOWN,),
            settled_at=clock.now(),
            settled_by_id=by.pk,
            settled_because=because,
            code="",
        )
        listeners.notify([(message.pk, message.belongs_to)])
    return bool(settled)


REPEATABLE = frozenset(
    {
        MessageState.UNKNOWN,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.REJECTED,
        MessageState.REFUSED,
        MessageState.NOT_SENT,
        MessageState.CANCELLED,
        MessageState.SUBMITTED,
    }
)


def can_repeat(message: Message) -> bool:
    """Whether staff may send the message again from its page.

    Own codes are not kept, so they cannot be repeated. A message with an owner is repeated by
    the app that owns it. Nor can one whose text was deleted.
    """
    if message.length is not None:
        return False
    return message.kind != Message.Kind.OWN_CODE and not message.belongs_to


def send_again(message: Message, by: User, form_token: str) -> tuple[Message, bool]:
    """Queue a copy of a message, linked to the old one, which stays unchanged.

    Own codes cannot be sent again: they are not kept, so staff send a new one from the form. If
    several people do this at the same time, one message is sent; the others get that message
    and False.

    Raises `InvalidRecipient` if the account may no longer send to the number, `LimitReached` if
    a daily limit is used up, and ValueError if the message cannot be repeated or the form token
    belongs to another message.
    """
    if message.state not in REPEATABLE or not can_repeat(message) or not form_token:
        raise ValueError("This message cannot be sent again.")
    recipient_for(message.account, message.recipient)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=message.pk)
        earlier = message.sent_again.exclude(state__in=NEVER_LEFT).order_by("-pk").first()
        if earlier is not None:
            return earlier, False
        repeat, created = Message.objects.get_or_create(
            form_token=form_token,
            defaults={
                **{name: getattr(message, name) for name in _COPIED_FIELDS},
                "reference": reference(),
                "created_by_id": by.pk,
                "sent_again_from": message,
            },
        )
        if (repeat.sent_again_from_id, repeat.created_by_id) != (message.pk, by.pk):
            raise ValueError("This form belongs to another message.")
        if created:
            queue_message.count_in_limits(repeat, by)
        wake_engine()
    return repeat, created


_COPIED_FIELDS = (
    "account",
    "kind",
    "recipient",
    "country",
    "text",
    "sender_id",
    "sms_kind",
    "encoding",
    "segments",
    "typed_by_id",
    "typed_at",
)
