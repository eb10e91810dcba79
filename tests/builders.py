"""An account, a member of staff, a message, in one line and with sensible defaults.

Staff and accounts that a test merely needs are no part of the history of changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from auditlog.context import disable_auditlog
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.utils import timezone

from core.phone import read
from messaging import sending
from messaging.batches import control, making
from messaging.batches import tasks as batch_tasks
from messaging.models import Batch, Message
from providers import accounts
from providers.engine.loop import DEADLINES, Loop
from providers.engine.sources import sources
from providers.gateway.wire import Deadlines
from providers.models import Account
from providers.sandbox import credentials
from providers.sandbox.server import Sandbox
from rentals import orders
from rentals.models import Order

T = TypeVar("T")

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
TEXT = "Your parcel is here."
CODE = "482913"
NOWHERE = "http://127.0.0.1:9"
"""A port that nobody listens on."""
IMPATIENT = Deadlines(connect=2.0, read=1.5, total=2.0)
"""For providers that do not answer."""


def make_account(
    provider: str = "haorui", sandbox: Sandbox | None = None, **fields: Any
) -> Account:
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
    with disable_auditlog():
        return accounts.create_account(provider=provider, **fields)


def make_user(*permissions: str, **fields: Any) -> User:
    """A member of staff with just these permissions, as `messaging.send_message`."""
    values = {"username": f"staff{next(_serial)}", "password": "secret", "is_staff": True, **fields}
    with disable_auditlog():
        user = User.objects.create_user(**values)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
    return user


def make_staff(role: str) -> User:
    """A member of staff in one of the roles that every portal starts with."""
    user = make_user()
    with disable_auditlog():
        user.groups.add(Group.objects.get(name=role))
    return user


def make_message(account: Account | None = None, **fields: Any) -> Message:
    """A queued text (HAORUI), unless `kind` says otherwise."""
    account = account or make_account()
    by = fields.pop("by", None) or make_user()
    form_token = fields.pop("form_token", f"token{next(_serial)}")
    recipient = read(fields.pop("recipient", "+8613912345678"))
    kind = Message.Kind(fields.pop("kind", Message.Kind.TEXT))
    drafted = {
        Message.Kind.TEXT: {"text": TEXT, "sms_kind": "T", "sender_id": "HAORUI"},
        Message.Kind.OWN_CODE: {"code": CODE, "channel": "验证码通道1", "template": "2"},
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


def make_order(account: Account | None = None, **fields: Any) -> Order:
    """A queued order of a number for WhatsApp in Indonesia, unless the fields say otherwise."""
    account = account or make_account("gosms")
    by = fields.pop("by", None) or make_user("rentals.rent_order")
    wish = orders.Wish(
        account=account,
        project=fields.pop("project", "whatsapp"),
        region=fields.pop("region", "ID"),
        keep_trying=fields.pop("keep_trying", None),
        cancel_after=fields.pop("cancel_after", None),
    )
    (order,), _ = orders.place(wish, by=by, form_token=f"token{next(_serial)}")
    return change(order, **fields)


def make_rented(account: Account | None = None, **fields: Any) -> Order:
    """An order that waits for its SMS, as if it had been rented just now."""
    now = timezone.now()
    return make_order(
        account,
        **{
            "state": "pending",
            "provider_id": str(next(_serial)),
            "phone": "+6281234567890",
            "price": Decimal("0.50"),
            "provider_state": "pending",
            "handed_over_at": now,
            "answered_at": now,
            "placed_at": now,
            "expires_at": now + timedelta(minutes=10),
            "next_poll_at": now + timedelta(seconds=3),
            **fields,
        },
    )


def change(order: Order, **fields: Any) -> Order:
    """Write these values into its row, whatever the rules are."""
    for name, value in fields.items():
        setattr(order, name, value)
    order.save()
    return order


def run_engine(
    until: Callable[[], bool], *, at_most: float = 120.0, deadlines: Deadlines = DEADLINES
) -> None:
    """Run a loop of the engine in this thread until something holds."""
    deadline = time.monotonic() + at_most
    Loop(lambda: until() or time.monotonic() > deadline, deadlines).run()
    assert until(), "the engine did not get there"


def is_settled(*messages: Message) -> bool:
    """Whether none of them waits or is under way any more; reads them anew."""
    under_way = Message.objects.filter(
        pk__in=[message.pk for message in messages], state__in=("queued", "claimed", "sending")
    )
    if under_way.exists():
        return False
    for message in messages:
        message.refresh_from_db()
    return True


def send(message: Message, deadlines: Deadlines = DEADLINES) -> Message:
    """Let the engine take a message as far as it gets."""
    run_engine(lambda: is_settled(message), deadlines=deadlines)
    return message


def run_rounds(rounds: int = 3) -> None:
    """Let a loop look for work a few times: what is due is then sent, what is not is left."""
    left = count(rounds, -1)
    Loop(lambda: next(left) <= 0).run()


def run_sweeps() -> None:
    """Let a loop look for work until each kind of it was swept."""
    run_rounds(len(sources()))


def at_once(work: Callable[[], T], times: int) -> list[T]:
    """Do the same in several threads, each with a database connection of its own."""
    start = threading.Barrier(times)

    def one() -> T:
        try:
            start.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [done.result() for done in [pool.submit(one) for _ in range(times)]]


def make_batch(
    recipients: str | bytes, account: Account | None = None, *, read_it: bool = True, **fields: Any
) -> Batch:
    """A batch of what was pasted, or of a file's bytes, read and checked. `by` made it."""
    by = fields.pop("by", None) or make_user("messaging.bulk_message")
    file_name = fields.pop("file_name", "recipients.csv" if isinstance(recipients, bytes) else "")
    content = recipients if isinstance(recipients, bytes) else making.pasted(recipients)
    draft = making.BatchDraft(
        account=account or make_account(),
        **{"text": TEXT, "sms_kind": "T", "sender_id": "HAORUI", **fields},
        file_name=file_name,
        content=[content],
    )
    batch, _ = making.make(draft, by=by, form_token=f"batch{next(_serial)}")
    if read_it:
        batch_tasks.read(batch.pk)
        batch.refresh_from_db()
    return batch


def start_batch(batch: Batch, by: User | None = None) -> Batch:
    """Let it go out: its messages wait for the engine."""
    control.start(batch, by or batch.created_by)
    batch_tasks.lay_out(batch.pk)
    batch.refresh_from_db()
    return batch


def numbers(count: int, start: int = 0) -> str:
    """So many different numbers, one a line."""
    return "\n".join(f"139{start + index:08}" for index in range(count))
