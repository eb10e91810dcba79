"""A throw-away database with an account and queued messages, for one measurement."""

from __future__ import annotations

import argparse
import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.database import NOT_FOUND, running_server

from .report import machine

_serial = count(1)
CREDENTIALS = {"api_id": "API0", "api_password": "password"}


@contextmanager
def database(wanted: str) -> Iterator[None]:
    """Point BENCH_DATABASE_URL to a new database.

    `wanted` is `sqlite`, `postgresql`, or the postgres:// address of a server. Exits if there is
    no PostgreSQL.
    """
    if wanted == "sqlite":
        os.environ.pop("BENCH_DATABASE_URL", None)
        yield
    elif wanted == "postgresql":
        with running_server() as url:
            if url is None:
                print(NOT_FOUND, flush=True)
                raise SystemExit(1 if os.environ.get("CI") else 0)
            with _new_database(url) as os.environ["BENCH_DATABASE_URL"]:
                yield
    else:
        with _new_database(wanted) as os.environ["BENCH_DATABASE_URL"]:
            yield


@contextmanager
def _new_database(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    name = f"bench_{secrets.token_hex(6)}"
    address = urlunsplit(parts._replace(scheme="postgresql"))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def begin(what: str, **environment: str) -> Path:
    """Set Django up, and print what is measured and where. Returns the folder of `set_up`."""
    folder = set_up(**environment)
    print(f"{what}, {database_name()}. {machine()}", flush=True)
    return folder


def set_up(**environment: str) -> Path:
    """Set Django up on a fresh database: BENCH_DATABASE_URL, or SQLite in a temporary folder.

    All settings are in the environment, so that later processes inherit them. Returns the
    folder, which is deleted when this process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="smsportal-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(
        {
            "ENV_FILE": "",
            "DATA_DIR": str(folder),
            "STATE_DIR": str(folder / "state"),
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL")
            or f"sqlite:///{folder / 'portal.sqlite3'}",
            "SECRET_KEY": "only for measurements " * 3,
            "SECRETS_KEYS": "bWVhc3VyZW1lbnRzLW9ubHktbWVhc3VyZW1lbnRzLW8=",
            "PUBLIC_ADDRESS": "https://portal.example",
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "tests.portal_settings",
            **environment,
        }
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    return folder


def database_name() -> str:
    from django.db import connection

    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]


def make_account(  # type: ignore[no-untyped-def]
    base_url: str,
    in_flight: int,
    provider: str = "haorui",
    credentials: Mapping[str, str] = CREDENTIALS,
    **fields: object,
):
    from providers import accounts

    return accounts.create_account(
        name=f"bench {next(_serial)}",
        provider=provider,
        base_url=base_url,
        credentials=credentials,
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
def cleared_afterwards() -> Iterator[None]:
    """Delete messages and journal rows at the end, for the next measurement.

    This also vacuums, since the test server of PostgreSQL runs without autovacuum.
    """
    try:
        yield
    finally:
        from messaging.models import Message
        from providers.models import ApiCall

        Message.objects.all().delete()
        ApiCall.objects.all().delete()
        vacuum()


def vacuum() -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def begin_filled(title: str, messages: int) -> tuple[Path, Path | None]:
    """The same with a history of as many messages as the command line asks for.

    `title` may name {messages}. Returns the folder, and the database's file if it is kept.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("messages", type=int, nargs="?", default=messages)
    parser.add_argument("--keep", type=Path, help="Folder of a filled SQLite database.")
    options = parser.parse_args()
    kept = options.keep / f"{options.messages}.sqlite3" if options.keep else None
    is_filled = kept is not None and kept.exists()
    if kept:
        os.environ["BENCH_DATABASE_URL"] = f"sqlite:///{kept}"
    folder = begin(title.format(messages=options.messages), LOG_LEVEL="ERROR")
    from . import pages_rows

    if not is_filled:
        pages_rows.fill(options.messages)
    return folder, kept


def close() -> None:
    """Close the connections, so that the database can be dropped."""
    from django.db import connections

    connections.close_all()
