"""Fill a database for `benchmarks.pages`, each table by one statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.phones.tokens import token_of
from figures.roll_up import bring_up_to_date
from messaging.models import Batch, Message
from otp import sms_states
from otp.models import SentCode, Session
from providers.models import Account, ApiCall, Callback
from rentals.models import Order, Transaction

from . import portal
from .insert_rows import Columns, ago, insert, one_of, pad, span, text

PER_DAY: Final = 11_111
"""Messages of a day, so that a million were sent in 90 days. The smaller database is younger."""
ACCOUNTS: Final = 12
STAFF: Final = 42
BATCH_SIZE: Final = 6_250
ROLL_UP_TIME: Final = 3_600.0


def fill(rows: int) -> None:
    """`rows` messages, a fifth as codes, and what belongs to them."""
    fill_messages(rows)
    insert(Session, rows // 5, _sessions(rows // 5))
    insert(
        SentCode,
        rows // 5,
        {
            "session_id": "n",
            "serial": "1",
            "message_id": "n * 5",
            "length": "6",
            "digest": "''",
            "made_at": ago("n", rows // 5),
        },
    )
    insert(Order, rows // 10, _orders(rows // 10))
    insert(Transaction, rows // 5, _transactions(rows // 5))
    insert(ApiCall, rows * 3, _calls(rows * 3))
    insert(Callback, rows // 2, _callbacks(rows // 2))
    portal.vacuum()
    while Session.objects.filter(sms_state=None).exists():
        sms_states.note_missing()
    # The triggers have marked what the roll-up has to count.
    bring_up_to_date(ROLL_UP_TIME)
    portal.vacuum()


def fill_messages(rows: int) -> None:
    span.days = rows / PER_DAY
    _people()
    batches = max(rows // BATCH_SIZE, 1)
    insert(Batch, batches, _batches(batches))
    insert(Message, rows, _messages(rows))


def names() -> Mapping[str, str]:
    """What the pages ask for."""
    newest = Message.objects.order_by("-created_at")[0]
    code = SentCode.objects.select_related("session", "message").order_by("-pk")[5]
    middle = Message.objects.order_by("-created_at")[100]
    return {
        "account": str(Account.objects.order_by("pk")[0].pk),
        "sender": str(middle.created_by_id),
        "batch": Batch.objects.order_by("pk")[Batch.objects.count() // 2].public_id,
        "number": middle.recipient,
        "token": token_of(middle.recipient),
        "provider_id": middle.provider_id,
        "reference": middle.reference,
        "code_number": code.session.recipient,
        "code_id": code.message.provider_id,
        "newest": newest.public_id,
        "month": (timezone.localdate() - timedelta(days=30)).isoformat(),
        "today": timezone.localdate().isoformat(),
    }


def signed_in() -> Client:
    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    client.force_login(User.objects.get(username="boss"))
    return client


def _people() -> None:
    from tests.factories.accounts import CREDENTIALS, NOWHERE

    User.objects.create_superuser("boss")
    for number in range(1, STAFF):
        User.objects.create_user(f"person{number}", is_staff=True)
    kinds = list(CREDENTIALS)
    for number in range(ACCOUNTS):
        kind = kinds[number % len(kinds)]
        portal.make_account(NOWHERE, 4, kind, CREDENTIALS[kind])


def _batches(batches: int) -> Columns:
    made = ago("n", batches)
    return {
        "public_id": pad("b", 15),
        "form_token": pad("f", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "state": "'finished'",
        "source": "'file'",
        "file_name": text("list "),
        "values": "'{}'",
        "row_count": str(BATCH_SIZE // 4),
        "good": str(BATCH_SIZE // 4),
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "started_at": made,
        "ended_at": made,
    }


def _messages(rows: int) -> Columns:
    made = ago("n", rows)
    of_batch = f"n % 3 = 1 AND n % 5 > 0 AND n / {BATCH_SIZE} BETWEEN 1 AND {rows // BATCH_SIZE}"
    return {
        "batch_id": f"CASE WHEN {of_batch} THEN n / {BATCH_SIZE} END",
        "batch_row": f"CASE WHEN {of_batch} THEN n END",
        "public_id": pad("m", 15),
        "reference": pad("", 32),
        "account_id": f"1 + n % {ACCOUNTS}",
        "kind": "CASE WHEN n % 5 = 0 THEN 'own_code' ELSE 'text' END",
        "recipient": pad("+86139", 8, f"n % {max(rows // 3, 1)}"),
        "country": one_of({"CN": 70, "ID": 20, "US": 9, "VN": 1}, "n / 7"),
        "text": "CASE WHEN n % 5 = 0 THEN '' ELSE 'Your parcel ' || n || ' is at the door.' END",
        "segments": "1",
        "sms_kind": "'T'",
        "state": one_of(
            {"delivered": 70, "submitted": 15, "undelivered": 8, "refused": 4, "expired": 2}
        ),
        "reason": "CASE WHEN n % 25 = 3 THEN 'content' WHEN n % 50 = 7 THEN 'route' ELSE '' END",
        "provider_id": text("p"),
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "queued_at": made,
        "answered_at": made,
        "handed_over_at": made,
        "not_before": made,
        "conflict": f"(n % {max(rows // 30, 1)} = 0)",
    }


def _sessions(rows: int) -> Columns:
    made = ago("n", rows)
    return {
        "public_id": pad("s", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "recipient": pad("+86137", 8),
        "prefix": pad("+86137", 4, "n % 10000"),
        "country": one_of({"CN": 80, "ID": 20}),
        "state": one_of({"verified": 70, "expired": 20, "failed": 10}),
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "expires_at": made,
        "sent_at": made,
        "verified_at": f"CASE WHEN n % 10 < 7 THEN {made} END",
    }


def _orders(rows: int) -> Columns:
    made = ago("n", rows)
    recent = f"n > {rows - 30}"
    return {
        "public_id": pad("o", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "project": one_of({"whatsapp": 60, "telegram": 40}),
        "region": one_of({"ID": 60, "VN": 40}),
        "state": f"CASE WHEN {recent} THEN 'pending' ELSE "
        + one_of({"received": 80, "expired": 15, "cancelled": 5})
        + " END",
        "provider_id": text("order"),
        "phone": pad("+62812", 8),
        "price": "0.5",
        "raw_times": "'{}'",
        "held_by_id": f"1 + n % {STAFF}",
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "changed_at": made,
        "sms_at": f"CASE WHEN n % 5 > 0 THEN {made} END",
        "expires_at": made,
        "not_before": made,
    }


def _transactions(rows: int) -> Columns:
    return {
        "account_id": f"1 + n % {ACCOUNTS}",
        "provider_id": text("t"),
        "type": "CASE WHEN n % 2 = 0 THEN 'Hold' ELSE 'Release' END",
        "amount": "0.5",
        "order_provider_id": text("order", "n / 2"),
        "created_there": ago("n", rows),
    }


def _calls(rows: int) -> Columns:
    return {
        "account_id": f"1 + n % {ACCOUNTS - 1}",
        "operation": one_of({"send_text": 60, "send_code": 20, "fetch_order": 20}),
        "subject": text("message:", "n / 3"),
        "started_at": ago("n", rows),
        "duration": "0.2",
        "method": "'POST'",
        "url": text("https://provider.example/send?n="),
        "http_status": "CASE WHEN n % 100 = 1 THEN 429 WHEN n % 100 = 2 THEN NULL ELSE 200 END",
        "outcome": one_of({"done": 95, "refused": 4, "unknown": 1}),
        "answer_body": text('{"code": 0, "id": "p', "n") + " || '\"}'",
        "attempt": "1",
    }


def _callbacks(rows: int) -> Columns:
    made = ago("n", rows)
    return {
        "public_id": pad("c", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "digest": text("d"),
        "method": "'POST'",
        "received_at": made,
        "last_at": made,
        "times": "1",
        "state": one_of({"applied": 99, "unmatched": 1}, "n / 100"),
        "says": one_of({"delivered": 90, "undelivered": 10}),
        "subject": text("message:"),
        "next_try_at": "NULL",
    }
