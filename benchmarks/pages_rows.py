"""Fill a database for `benchmarks.pages`, each table by one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from messaging.models import Message
from otp.models import SentCode, Session
from providers.models import Account, ApiCall, Callback
from rentals.models import Order, Transaction

from . import portal

DAYS: Final = 90
ACCOUNTS: Final = 12
STAFF: Final = 42
Columns = Mapping[str, str]


def fill(rows: int) -> None:
    """`rows` messages over 90 days, a fifth as codes, and what belongs to them."""
    fill_messages(rows)
    _insert(Session, rows // 5, _sessions(rows // 5))
    _insert(
        SentCode,
        rows // 5,
        {
            "session_id": "n",
            "serial": "1",
            "message_id": "n * 5",
            "length": "6",
            "digest": "''",
            "made_at": _ago("n", rows // 5),
        },
    )
    _insert(Order, rows // 10, _orders(rows // 10))
    _insert(Transaction, rows // 5, _transactions(rows // 5))
    _insert(ApiCall, rows * 3, _calls(rows * 3))
    _insert(Callback, rows // 2, _callbacks(rows // 2))
    portal.vacuum()


def fill_messages(rows: int) -> None:
    _people()
    _insert(Message, rows, _messages(rows))


def names() -> Mapping[str, str]:
    """What the pages ask for."""
    newest = Message.objects.order_by("-created_at")[0]
    code = SentCode.objects.select_related("session", "message").order_by("-pk")[5]
    middle = Message.objects.order_by("-created_at")[100]
    return {
        "account": str(Account.objects.order_by("pk")[0].pk),
        "sender": str(middle.created_by_id),
        "number": middle.recipient,
        "provider_id": middle.provider_id,
        "reference": middle.reference,
        "code_number": code.session.recipient,
        "code_id": code.message.provider_id,
        "newest": newest.public_id,
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


def _insert(model: Any, rows: int, columns: Columns) -> None:
    """Insert `rows` rows. A column is an SQL expression of `n`; the others have their defaults."""
    filled = {field.column: _default(field) for field in model._meta.concrete_fields}
    filled |= {"id": "n", **columns}
    numbers = (
        f"generate_series(1, {rows}) AS numbers (n)"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < {rows}) SELECT n FROM numbers)"
    )
    wanted = ", ".join(f'"{name}"' for name in filled)
    values = ", ".join(filled.values())
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({wanted}) SELECT {values} FROM {numbers}")
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {rows})")


def _default(field: Any) -> str:
    kind = field.get_internal_type()
    if field.null:
        return "NULL"
    if kind == "BooleanField":
        return "FALSE"
    if kind == "JSONField":
        return "'[]'"
    if kind in ("DateTimeField",):
        return _now()
    if kind == "BinaryField":
        return "''"
    if "Integer" in kind or kind in ("FloatField", "DecimalField", "ForeignKey"):
        return str(field.default) if isinstance(field.default, int) else "0"
    return "''"


def _now() -> str:
    return _ago("0", 1)


def _ago(number: str, rows: int) -> str:
    """The time of row `number` of `rows`: the last one is the newest."""
    seconds = f"((({rows} - {number}) * {DAYS * 86400.0}) / {rows})"
    if number == "0":
        seconds = "0"
    if connection.vendor == "postgresql":
        return f"now() - {seconds} * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || {seconds} || ' seconds')"


def _text(prefix: str, expression: str = "n") -> str:
    return f"'{prefix}' || ({expression})"


def _pad(prefix: str, digits: int, expression: str = "n") -> str:
    if connection.vendor == "postgresql":
        return f"'{prefix}' || lpad(({expression})::text, {digits}, '0')"
    return f"'{prefix}' || printf('%0{digits}d', {expression})"


def _one_of(choices: Mapping[str, int], expression: str = "n") -> str:
    """A choice by its share in a hundred."""
    place, cases, end = f"(({expression}) * 37 % 100)", "", 0
    for choice, share in choices.items():
        end += share
        cases += f" WHEN {place} < {end} THEN '{choice}'"
    return f"CASE{cases} ELSE '{next(iter(choices))}' END"


def _messages(rows: int) -> Columns:
    made = _ago("n", rows)
    return {
        "public_id": _pad("m", 15),
        "reference": _pad("", 32),
        "account_id": f"1 + n % {ACCOUNTS}",
        "kind": "CASE WHEN n % 5 = 0 THEN 'own_code' ELSE 'text' END",
        "recipient": _pad("+86139", 8, f"n % {max(rows // 3, 1)}"),
        "country": _one_of({"CN": 70, "ID": 20, "US": 9, "VN": 1}, "n / 7"),
        "text": "CASE WHEN n % 5 = 0 THEN '' ELSE 'Your parcel ' || n || ' is at the door.' END",
        "segments": "1",
        "sms_kind": "'T'",
        "state": _one_of(
            {"delivered": 70, "submitted": 15, "undelivered": 8, "refused": 4, "expired": 2}
        ),
        "reason": "CASE WHEN n % 25 = 3 THEN 'content' WHEN n % 50 = 7 THEN 'route' ELSE '' END",
        "provider_id": _text("p"),
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "queued_at": made,
        "answered_at": made,
        "handed_over_at": made,
        "not_before": made,
        "conflict": f"(n % {max(rows // 30, 1)} = 0)",
    }


def _sessions(rows: int) -> Columns:
    made = _ago("n", rows)
    return {
        "public_id": _pad("s", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "recipient": _pad("+86137", 8),
        "prefix": _pad("+86137", 4, "n % 10000"),
        "country": _one_of({"CN": 80, "ID": 20}),
        "state": _one_of({"verified": 70, "expired": 20, "failed": 10}),
        "created_by_id": f"1 + n % {STAFF}",
        "created_at": made,
        "expires_at": made,
        "sent_at": made,
        "verified_at": f"CASE WHEN n % 10 < 7 THEN {made} END",
    }


def _orders(rows: int) -> Columns:
    made = _ago("n", rows)
    recent = f"n > {rows - 30}"
    return {
        "public_id": _pad("o", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "project": _one_of({"whatsapp": 60, "telegram": 40}),
        "region": _one_of({"ID": 60, "VN": 40}),
        "state": f"CASE WHEN {recent} THEN 'pending' ELSE "
        + _one_of({"received": 80, "expired": 15, "cancelled": 5})
        + " END",
        "provider_id": _text("order"),
        "phone": _pad("+62812", 8),
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
        "provider_id": _text("t"),
        "type": "CASE WHEN n % 2 = 0 THEN 'Hold' ELSE 'Release' END",
        "amount": "0.5",
        "order_provider_id": _text("order", "n / 2"),
        "created_there": _ago("n", rows),
    }


def _calls(rows: int) -> Columns:
    return {
        "account_id": f"1 + n % {ACCOUNTS - 1}",
        "operation": _one_of({"send_text": 60, "send_code": 20, "fetch_order": 20}),
        "subject": _text("message:", "n / 3"),
        "started_at": _ago("n", rows),
        "duration": "0.2",
        "method": "'POST'",
        "url": _text("https://provider.example/send?n="),
        "http_status": "CASE WHEN n % 100 = 1 THEN 429 WHEN n % 100 = 2 THEN NULL ELSE 200 END",
        "outcome": _one_of({"done": 95, "refused": 4, "unknown": 1}),
        "answer_body": _text('{"code": 0, "id": "p', "n") + " || '\"}'",
        "attempt": "1",
    }


def _callbacks(rows: int) -> Columns:
    made = _ago("n", rows)
    return {
        "public_id": _pad("c", 15),
        "account_id": f"1 + n % {ACCOUNTS}",
        "digest": _text("d"),
        "method": "'POST'",
        "received_at": made,
        "last_at": made,
        "times": "1",
        "state": _one_of({"applied": 99, "unmatched": 1}, "n / 100"),
        "says": _one_of({"delivered": 90, "undelivered": 10}),
        "subject": _text("message:"),
        "next_try_at": "NULL",
    }
