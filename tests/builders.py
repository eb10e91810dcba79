"""An account, a member of staff, a message, in one line and with sensible defaults."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User

from core.phone import read
from messaging import sending
from messaging.models import Message
from providers import accounts
from providers.engine.loop import Loop
from providers.models import Account
from providers.sandbox import credentials
from providers.sandbox.server import Sandbox

_serial = count(1)

CREDENTIALS: dict[str, dict[str, str]] = {
    "haosms": {"api_key": credentials.HAOSMS_API_KEY},
    "haorui": {
        "api_id": credentials.HAORUI_API_ID,
        "api_password": credentials.HAORUI_API_PASSWORD,
    },
    "otpservice": {
        "username": credentials.OTPSERVICE_USERNAME,
        "password": credentials.OTPSERVICE_PASSWORD,
    },
    "gosms": {"api_key": credentials.GOSMS_API_KEY},
}
OPTIONS: dict[str, dict[str, object]] = {
    "haosms": {"channels": ["验证码通道1"]},
    "haorui": {"sender_ids": ["HAORUI"]},
}
NOWHERE = "http://127.0.0.1:9"
"""A port that nobody listens on."""


def make_account(provider: str = "haorui", sandbox: Sandbox | None = None, **fields: Any) -> Account:
    fields = {
        "name": f"{provider} {next(_serial)}",
        "allowed_countries": ["CN"],
        "credentials": CREDENTIALS[provider],
        "options": OPTIONS.get(provider, {}),
        "base_url": sandbox.base_url(provider) if sandbox else NOWHERE,
        "per_second": 500,
        "per_minute": 30_000,
        **fields,
    }
    return accounts.create_account(provider=provider, **fields)


def make_user(*permissions: str, **fields: Any) -> User:
    """A member of staff with just these permissions, as `messaging.send_message`."""
    user = User.objects.create_user(
        **{"username": f"staff{next(_serial)}", "password": "secret", "is_staff": True, **fields}
    )
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def make_message(account: Account | None = None, **fields: Any) -> Message:
    """A queued text (HAORUI), unless `kind` says otherwise."""
    account = account or make_account()
    by = fields.pop("by", None) or make_user()
    form_token = fields.pop("form_token", f"token{next(_serial)}")
    recipient = read(fields.pop("recipient", "+8613912345678"))
    kind = Message.Kind(fields.pop("kind", Message.Kind.TEXT))
    drafted = {
        Message.Kind.TEXT: {"text": "Your parcel is here.", "sms_kind": "T", "sender_id": "HAORUI"},
        Message.Kind.OWN_CODE: {"code": "482913", "channel": "验证码通道1", "template": "2"},
        Message.Kind.PROVIDER_CODE: {},
    }[kind]
    for name in list(fields):
        if name in ("text", "code", "channel", "template", "sms_kind", "sender_id"):
            drafted[name] = fields.pop(name)
    draft = sending.Draft(account=account, recipient=recipient, kind=kind, **drafted)
    message, _ = sending.queue(draft, by=by, form_token=form_token)
    if fields:
        Message.objects.filter(pk=message.pk).update(**fields)
        message.refresh_from_db()
    return message


def run_engine(until: Callable[[], bool], *, at_most: float = 20.0) -> None:
    """Run a loop of the engine in this thread until something holds."""
    deadline = time.monotonic() + at_most
    Loop(should_stop=lambda: until() or time.monotonic() > deadline).run()
    assert until(), "the engine did not get there"
