"""The portal behind PgBouncer in transaction mode, and the number of its connections."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from messaging.models import Message
from sandbox.server import Sandbox
from smsportal.startup.connection_pooler import SETTING, is_pooled
from tests.factories.accounts import make_account
from tests.factories.messages import queue_texts
from tests.support import pgbouncer
from tests.support.hosts import Host, database_url, empty_database
from tests.support.signed_in import browser_of
from tests.support.wait_until import wait_until
from tests.upgrade import databases

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="poolers are of PostgreSQL"),
]
needs_pgbouncer = pytest.mark.skipif(pgbouncer.PROGRAM is None, reason="PgBouncer is missing")

SENT = 40
READERS = 8
EXPORTS = 3
MOST_AT_REST = 16
"""Connections of one host with one web process."""
MOST_AT_WORK = 24
KEYS = {name: os.environ[name] for name in ("SECRET_KEY", "SECRETS_KEYS")}


def test_direct_connection_is_not_taken_for_a_pooled_one() -> None:
    assert not is_pooled(connection)
    assert not connection.settings_dict.get(SETTING)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as name:
        yield name


def count_connections(database: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database])
        return int(cursor.fetchone()[0])


def fill(database: str, sandbox: Sandbox) -> None:
    with databases.connected(database):
        User.objects.create_superuser("admin")
        queue_texts(make_account("haorui", sandbox), SENT)


def count_sent(database: str) -> int:
    with databases.connected(database):
        return Message.objects.filter(state="submitted").count()


def sign_in(database: str) -> str:
    """The session's cookie of the administrator."""
    with databases.connected(database):
        browser = browser_of(User.objects.get(username="admin"))
        return browser.cookies[settings.SESSION_COOKIE_NAME].value


def read_exports(web: str, cookie: str) -> list[int]:
    """The number of lines of several exports, one after the other."""
    with requests.Session() as session:
        session.trust_env = False
        session.cookies[settings.SESSION_COOKIE_NAME] = cookie
        address = f"http://{web}/messaging/message/export/?format=csv"
        texts = [read_export(session, address) for _ in range(EXPORTS)]
    return [len(text.splitlines()) for text in texts]


def read_export(session: requests.Session, address: str) -> str:
    """One export. The portal makes one for each person at a time, and refuses others meanwhile."""
    for _ in range(100):
        answer = session.get(address, timeout=60)
        if answer.status_code != requests.codes.too_many_requests:
            return answer.text
    raise AssertionError("No export was made.")


def work(host: Host, database: str, sandbox: Sandbox) -> None:
    """Send messages, then read exports of them, many at once."""
    fill(database, sandbox)
    wait_until(lambda: count_sent(database) == SENT)
    read = partial(read_exports, host.web)
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(read, [sign_in(database)] * READERS))
    assert found == [[SENT + 1] * EXPORTS] * READERS


@pytest.mark.slow
@needs_pgbouncer
def test_portal_works_behind_pgbouncer_in_transaction_mode(tmp_path: Path, database: str) -> None:
    with Sandbox() as sandbox, pgbouncer.pgbouncer(database_url(database)) as url:
        host = Host(tmp_path / "host", database, DATABASE_URL=url, **KEYS)
        try:
            host.start()
            host.wait_until_ready()
            work(host, database, sandbox)
            assert sandbox.book.repeated() == []
        finally:
            host.stop()
    assert not re.search("cursor .* does not exist", host.log())


@pytest.mark.slow
def test_connections_of_a_host_are_bounded(tmp_path: Path, database: str) -> None:
    with Sandbox() as sandbox:
        host = Host(tmp_path / "host", database, **KEYS)
        try:
            host.start()
            host.wait_until_ready()
            time.sleep(10)
            assert count_connections(database) <= MOST_AT_REST
            work(host, database, sandbox)
            assert count_connections(database) <= MOST_AT_WORK
        finally:
            host.stop()
    assert count_connections(database) == 0
