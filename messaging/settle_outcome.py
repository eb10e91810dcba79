"""What staff may decide about a message whose outcome is unknown. Each needs a reason,
is written down with a name, and happens once: whoever comes second finds it settled."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from providers.engine.wake import kick_if_idle

from . import listeners, queue_message
from .models import Message, reference
from .recipients import recipient_for
from .states import MESSAGE_STATES, NEVER_LEFT, MessageState

SETTLE_REASONS: Final[dict[str, Promise]] = {
    "has": _("Recipient has it"),
    "has_not": _("Recipient does not have it"),
    "console": _("Seen in the provider's console"),
}

BY_CORRECT_CODE: Final = "The right code was read out"


def mark_sent(message: Message, by: User, because: str) -> bool:
    return _settle(message, MessageState.SUBMITTED, by, because)


def mark_not_sent(message: Message, by: User, because: str) -> bool:
    return _settle(message, MessageState.NOT_SENT, by, because)


def settle_by_correct_code(messages: QuerySet[Message]) -> int:
    """Somebody read out the code of these messages, so they went out."""
    return MESSAGE_STATES.move(
        messages,
        MessageState.SUBMITTED,
        sources=(MessageState.UNKNOWN,),
        settled_at=timezone.now(),
        settled_because=BY_CORRECT_CODE,
        code="",
    )


def _settle(message: Message, state: MessageState, by: User, because: str) -> bool:
    with transaction.atomic():
        settled = MESSAGE_STATES.move(
            Message.objects.filter(pk=message.pk),
            state,
            sources=(MessageState.UNKNOWN,),
            settled_at=timezone.now(),
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
    """A code of ours is not kept, and what belongs to something else is repeated there."""
    return message.kind != Message.Kind.OWN_CODE and not message.belongs_to


def send_again(message: Message, by: User, form_token: str) -> tuple[Message, bool]:
    """A new message linked to the old one, which stays as it is. Texts only: a code that
    went out is not kept, so another one is sent from the form.

    Of several people who do this at once one sends; the others are shown that message.
    Raises `InvalidRecipient` where the account may not send there any more, `LimitReached`
    where a daily limit is used up, else ValueError.
    """
    if message.state not in REPEATABLE or not can_repeat(message) or not form_token:
        raise ValueError("This message cannot be sent again.")
    recipient_for(message.account, message.recipient)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=message.pk)
        earlier = message.sent_again.exclude(state__in=NEVER_LEFT).order_by("-pk").first()
        if earlier is not None:
            return earlier, False
        again, made = Message.objects.get_or_create(
            form_token=form_token,
            defaults={
                **{name: getattr(message, name) for name in _COPIED_FIELDS},
                "reference": reference(),
                "created_by_id": by.pk,
                "sent_again_from": message,
            },
        )
        if (again.sent_again_from_id, again.created_by_id) != (message.pk, by.pk):
            raise ValueError("This form belongs to another message.")
        if made:
            queue_message.count_in_limits(again, by)
        kick_if_idle()
    return again, made


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
)
