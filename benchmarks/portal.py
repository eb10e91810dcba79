"""A throw-away database with an account and queued messages, for one measurement."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_serial = count(1)


def set_up() -> None:
    """Django on a fresh database: BENCH_DATABASE_URL, or SQLite in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="smsportal-bench-"))
    os.environ.update(
        {
            "ENV_FILE": "",
            "DATA_DIR": str(folder),
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL")
            or f"sqlite:///{folder / 'portal.sqlite3'}",
            "SECRET_KEY": "only for measurements " * 3,
            "SECRETS_KEYS": "bWVhc3VyZW1lbnRzLW9ubHktbWVhc3VyZW1lbnRzLW8=",
            "PUBLIC_ADDRESS": "https://portal.example",
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "smsportal.settings",
        }
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def database_name() -> str:
    from django.db import connection

    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]


def make_account(base_url: str, in_flight: int, provider: str = "haorui", **fields: object):  # type: ignore[no-untyped-def]
    from providers import accounts

    return accounts.create_account(
        name=f"bench {next(_serial)}",
        provider=provider,
        base_url=base_url,
        credentials={"api_id": "API0", "api_password": "password"},
        options={"sender_ids": ["BENCH"], "kind": "T"},
        allowed_countries=["CN"],
        **{"per_second": 10_000, "per_minute": 600_000, "in_flight": in_flight, **fields},
    )


def queue_messages(account, number: int) -> None:  # type: ignore[no-untyped-def]
    from messaging.models import Message

    Message.objects.bulk_create(
        (
            Message(
                account=account,
                kind=Message.Kind.TEXT,
                recipient=f"+86139{index:08}",
                country="CN",
                text="Your parcel is here.",
                sms_kind="T",
                sender_id="BENCH",
                encoding="gsm7",
            )
            for index in range(number)
        ),
        batch_size=500,
    )


@contextmanager
def emptied() -> Iterator[None]:
    """Afterwards no message and no journal row is left over for the next measurement."""
    try:
        yield
    finally:
        from messaging.models import Message
        from providers.models import ApiCall

        Message.objects.all().delete()
        ApiCall.objects.all().delete()
