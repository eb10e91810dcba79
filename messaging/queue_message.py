"""Queue one message; hold, release or cancel it before it is sent.

`messaging.engine.apply_outcome` records what happens after the call to the provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from core.acts import record_act
from core.phones.parse import PhoneNumber
from core.secrets import DOTS, Secret
from providers import clock, daily_limits
from providers.engine.wake import wake_engine
from providers.gateway.client import SendsOwnCode
from providers.gateway.vocabulary import Encoding
from providers.models import Account, DailyLimit

from . import held_messages, listeners, released, segments
from .models import Message
from .on_hold import not_on_hold
from .recipients import recipient_for
from .states import MESSAGE_STATES, NEVER_LEFT, MessageState

TEXT_MAX_AGE: Final = timedelta(hours=24)
CODE_MAX_AGE: Final = timedelta(minutes=2)
WAITED_TOO_LONG: Final = "waited_too_long"
SAME_TEXT_WINDOW: Final = timedelta(hours=24)
SAME_NUMBER_CODE_WINDOW: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to queue, already checked against the account's client."""

    account: Account
    recipient: PhoneNumber
    kind: Message.Kind
    text: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    channel: str = ""
    template: str = ""
    sms_kind: str = ""
    sender_id: str = ""
    belongs_to: str = ""


def queue(draft: Draft, *, by: User, form_token: str) -> tuple[Message, bool]:
    """Save the message, count it in the caps and wake the engine, in one transaction.

    A form that is posted twice makes one message: a unique constraint on the form token decides,
    and the second call returns the first message and False. Raises `LimitReached` if a cap
    is used up; then nothing is saved.
    """
    row = build_message(draft, by, form_token)
    row.typed_by_id, row.typed_at = by.pk, row.created_at
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            count_in_limits(row, by)
            record_act("message.send", by=by, subject=f"message:{row.pk}")
            wake_engine()
    except IntegrityError:
        earlier = Message.objects.filter(form_token=form_token, created_by=by.pk).first()
        if earlier is None:
            raise
        return earlier, False
    return row, True


def count_in_limits(message: Message, by: User) -> None:
    """Count the message in the caps of the person, the account and the recipient.

    Raises `LimitReached` if one of them is used up.
    """
    kind = DailyLimit.What.CODES if message.is_code else DailyLimit.What.MESSAGES
    number, country = message.recipient, message.country
    daily_limits.take(daily_limits.caps_of_send(message.account, by, kind, number, country))


def was_sent(form_token: str, by: User) -> bool:
    """Whether this form has already made a message."""
    return Message.objects.filter(form_token=form_token, created_by=by.pk).exists()


def build_message(draft: Draft, by: User | None, form_token: str | None) -> Message:
    """Build the message of a draft without saving it. Nobody is noted as having typed it."""
    row = Message(
        account=draft.account,
        recipient=draft.recipient.e164,
        country=draft.recipient.country,
        kind=draft.kind,
        channel=draft.channel,
        template=draft.template,
        sender_id=draft.sender_id,
        sms_kind=draft.sms_kind,
        created_by_id=by.pk if by else None,
        form_token=form_token,
        belongs_to=draft.belongs_to,
        price=draft.account.price_per_segment,
    )
    if draft.kind == Message.Kind.TEXT:
        row.text = segments.normalise_line_ends(draft.text)
        counted = segments.count(draft.text)
        row.encoding, row.segments = counted.encoding, counted.segments
    elif draft.kind == Message.Kind.OWN_CODE:
        # Dots stand for the code, which is filled in only when the message is sent.
        row.text = draft.text or text_around_code(draft.account, draft.template)
        row.code = Secret(draft.code)
        row.encoding = Encoding.UCS2
        if draft.sms_kind:
            counted = segments.count(row.text.replace(DOTS, draft.code))
            row.encoding, row.segments = counted.encoding, counted.segments
    return row


def matches_draft(message: Message, draft: Draft) -> bool:
    """Whether the message is what the draft describes. Codes are not kept, so not compared."""
    text = (
        segments.normalise_line_ends(draft.text)
        if draft.kind == Message.Kind.TEXT
        else message.text
    )
    return (
        message.account_id,
        message.recipient,
        message.kind,
        message.text,
        message.channel,
        message.template,
        message.sms_kind,
        message.sender_id,
    ) == (
        draft.account.pk,
        draft.recipient.e164,
        draft.kind,
        text,
        draft.channel,
        draft.template,
        draft.sms_kind,
        draft.sender_id,
    )


def text_around_code(account: Account, template: str) -> str:
    """Return the provider's text with dots in place of the code; empty if it is unknown."""
    client = account.client
    if client is None or not issubclass(client, SendsOwnCode):
        return ""
    texts = {known.key: known.text for known in client.templates}
    return texts.get(template, "").replace("XXXX", DOTS)


def find_duplicate(draft: Draft) -> Message | None:
    """Return the newest recent message that repeats the draft, for a warning.

    A text repeats the same text to the same number within 24 hours. A code repeats any code to
    the same number within 2 minutes. The account makes no difference. A message that certainly
    never left does not count.
    """
    sent = Message.objects.filter(recipient=draft.recipient.e164).exclude(state__in=NEVER_LEFT)
    now = clock.now()
    if draft.kind == Message.Kind.TEXT:
        sent = sent.filter(
            text=segments.normalise_line_ends(draft.text), created_at__gt=now - SAME_TEXT_WINDOW
        )
    else:
        sent = sent.filter(created_at__gt=now - SAME_NUMBER_CODE_WINDOW)
    return sent.filter(kind=draft.kind).select_related("created_by").order_by("-pk").first()


# --- messages that waited too long ------------------------------------------


def age_cutoffs(now: datetime) -> tuple[datetime, datetime]:
    """Return the times before which a queued text, and a queued code, is too old to send."""
    return now - TEXT_MAX_AGE, now - CODE_MAX_AGE


def hold_expired(now: datetime) -> None:
    """Hold texts older than 24 h for confirmation, and end stale codes as not sent.

    Messages of batches are left out: the pace of a large batch alone can take longer, so a
    batch is checked as a whole (`messaging.batches.lifecycle`). What is on hold stays so, whatever
    its age.
    """
    held_messages.rejoin()
    queued = Message.objects.filter(state=MessageState.QUEUED, batch=None, hold=None)
    text_limit, code_limit = age_cutoffs(now)
    codes = queued.exclude(kind=Message.Kind.TEXT).filter(queued_at__lte=code_limit)
    owners = listeners.owners_of(codes)
    MESSAGE_STATES.move(
        queued.filter(kind=Message.Kind.TEXT, queued_at__lte=text_limit),
        MessageState.HELD,
        reason=WAITED_TOO_LONG,
    )
    released.end_unsent(
        codes,
        MessageState.NOT_SENT,
        (MessageState.QUEUED,),
        reason=WAITED_TOO_LONG,
        ended_at=now,
        code="",
    )
    listeners.notify(owners)


def release(message: Message) -> bool:
    """Queue a held message again after a person confirmed it; its age starts from zero.

    False if it is no longer held, or on hold. Raises `InvalidRecipient` if the account may no
    longer send to the number.
    """
    recipient_for(message.account, message.recipient)
    now = clock.now()
    return bool(
        MESSAGE_STATES.move(
            Message.objects.filter(not_on_hold(), pk=message.pk),
            MessageState.QUEUED,
            sources=(MessageState.HELD,),
            reason="",
            queued_at=now,
            not_before=now,
        )
    )


def cancel(message: Message, by: User) -> bool:
    """Cancel a message that has not been claimed.

    False if it is too late, or if the message is on hold: it may have been sent already.
    """
    pending = (MessageState.QUEUED, MessageState.HELD, MessageState.SCHEDULED)
    with transaction.atomic():
        cancelled = released.end_unsent(
            Message.objects.filter(not_on_hold(), pk=message.pk),
            MessageState.CANCELLED,
            pending,
            ended_at=clock.now(),
            ended_by_id=by.pk,
            code="",
        )
        listeners.notify([(message.pk, message.belongs_to)])
    return bool(cancelled)
