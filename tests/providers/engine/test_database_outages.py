"""The engine sends while a real database refuses to write, and every answer is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from psycopg.sql import SQL, Identifier

from messaging.models import Message
from providers.engine.loop import Loop
from providers.models import ApiCall
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

NUMBER = 30
OUTAGE = 6.0
LAST_RESORT = 90.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


def send_all(sandbox: Sandbox, begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Send `NUMBER` messages, with an outage in the middle, while calls are in flight."""
    account = make_account("haorui", sandbox, per_second=20, in_flight=4)
    messages = [make_message(account) for _ in range(NUMBER)]
    sandbox.fault("slow", provider="haorui", seconds=0.3, calls=None)

    def interrupt() -> None:
        while len(sandbox.book.entries()) < NUMBER // 3:
            time.sleep(0.005)
        begin()
        time.sleep(OUTAGE)
        end()

    thread = threading.Thread(target=interrupt)
    thread.start()
    give_up = time.monotonic() + LAST_RESORT
    # The condition must not ask the database, which is away.
    Loop(lambda: len(sandbox.book.entries()) >= NUMBER or time.monotonic() > give_up).run()
    thread.join()
    connection.close()

    ids = [message.pk for message in messages]
    assert not Message.objects.filter(pk__in=ids).exclude(state="submitted").exists()
    assert len(sandbox.book.entries()) == NUMBER
    assert sandbox.book.repeated() == []
    subjects = list(ApiCall.objects.order_by("pk").values_list("subject", flat=True))
    assert sorted(subjects) == sorted(f"message:{pk}" for pk in ids)


def server_session() -> psycopg.Connection[tuple[object, ...]]:
    given = {**connection.get_connection_params(), "dbname": "postgres"}
    names = ("dbname", "user", "password", "host", "port")
    parameters = {name: given[name] for name in names if given.get(name)}
    return psycopg.connect(**parameters, autocommit=True)


@contextmanager
def administrator() -> Iterator[Callable[[str], None]]:
    """A session beside the portal's, in another database of the server, for statements about the
    test's database, `{}`."""
    database = str(connection.settings_dict["NAME"])
    with server_session() as session:

        def run(statement: str) -> None:
            session.execute(SQL(statement).format(Identifier(database)))
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [database],
            )

        try:
            yield run
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            "ALTER DATABASE {} RESET default_transaction_read_only",
        ),
        ("ALTER DATABASE {} ALLOW_CONNECTIONS false", "ALTER DATABASE {} ALLOW_CONNECTIONS true"),
        (
            "ALTER DATABASE {} SET statement_timeout = 1",
            "ALTER DATABASE {} RESET statement_timeout",
        ),
        ("SELECT 1", "SELECT 1"),
    ],
    ids=["read-only", "refused", "statement timeout", "terminated"],
)
def test_every_answer_is_kept_while_postgresql_refuses(
    sandbox: Sandbox, begin: str, end: str
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on PostgreSQL only")
    with administrator() as run:
        try:
            send_all(sandbox, lambda: run(begin), lambda: run(end))
        finally:
            run(end)


def test_sessions_opened_while_the_server_was_read_only_do_not_stay_read_only(
    sandbox: Sandbox,
) -> None:
    """The setting applies to new sessions only, in both directions."""
    if connection.vendor != "postgresql":
        pytest.skip("on PostgreSQL only")
    writable = SQL("ALTER DATABASE {} RESET default_transaction_read_only")

    def end() -> None:
        other.execute(writable.format(Identifier(str(connection.settings_dict["NAME"]))))

    with administrator() as run, server_session() as other:
        try:
            read_only = "ALTER DATABASE {} SET default_transaction_read_only = on"
            send_all(sandbox, lambda: run(read_only), end)
        finally:
            end()


def test_every_answer_is_kept_while_sqlite_is_full(sandbox: Sandbox) -> None:
    """The limit is set in a connection, so the loop's own one meets it, however often it opens."""
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite only")
    full = threading.Event()
    with limited_pages(full):
        send_all(sandbox, full.set, full.clear)


@contextmanager
def limited_pages(full: threading.Event) -> Iterator[None]:
    """Allow a statement no page more than the file has, while `full` is set."""

    def execute(run, sql, params, many, context):  # type: ignore[no-untyped-def]
        limit = 1 if full.is_set() else 2**30
        context["connection"].connection.execute(f"PRAGMA max_page_count={limit}")
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield
