"""Factory of messages."""

from __future__ import annotations

from itertools import count
from typing import Any, TypeVar

from core.phones.parse import parse_number
from messaging import queue_message
from messaging.models import Message
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

T = TypeVar("T")

_serial = count(1)
TEXT = "Your parcel is here."
CODE = "482913"


def make_message(account: Account | None = None, **fields: Any) -> Message:
    """Make a queued message; by default a text over HAORUI."""
    account = account or make_account()
    by = fields.pop("by", None) or make_user()
    form_token = fields.pop("form_token", f"token{next(_serial)}")
    recipient = parse_number(fields.pop("recipient", "+8613912345678"))
    kind = Message.Kind(fields.pop("kind", Message.Kind.TEXT))
    drafted = {
        Message.Kind.TEXT: {"text": TEXT, "sms_kind": "T", "sender_id": "HAORUI"},
        Message.Kind.OWN_CODE: {"code": CODE, "channel": "验证码通道1", "template": "2"},
        Message.Kind.PROVIDER_CODE: {},
    }[kind]
    for name in list(fields):
        if name in ("text", "code", "channel", "template", "sms_kind", "sender_id"):
            drafted[name] = fields.pop(name)
    draft = queue_message.Draft(account=account, recipient=recipient, kind=kind, **drafted)
    message, _ = queue_message.queue(draft, by=by, form_token=form_token)
    if fields:
        Message.objects.filter(pk=message.pk).update(**fields)
        message.refresh_from_db()
    return message


def queue_texts(account: Account, number: int) -> None:
    """Queue many texts at once."""
    Message.objects.bulk_create(
        Message(
            account=account,
            kind=Message.Kind.TEXT,
            recipient=f"+86139{index:08}",
            country="CN",
            text=TEXT,
            sms_kind="T",
            sender_id="HAORUI",
            encoding="gsm7",
        )
        for index in range(number)
    )
