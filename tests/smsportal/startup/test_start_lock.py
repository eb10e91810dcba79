"""Only one start of the portal at a time prepares a database, however many begin at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from smsportal.startup.start_lock import hold_start_lock
from tests.support.hosts import Host, database_url, empty_database
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as name:
        yield name


def test_second_start_waits_for_the_first_with_a_notice() -> None:
    said: list[str] = []
    entered = threading.Event()

    def start_too() -> None:
        with hold_start_lock(said.append):
            entered.set()
        connections.close_all()

    second = threading.Thread(target=start_too)
    with hold_start_lock(said.append):
        second.start()
        wait_until(lambda: said)
        assert not entered.is_set()
    second.join()
    assert entered.is_set()
    assert len(said) == 1
    assert "prepares this database" in said[0]


def test_lock_is_free_again_after_a_failure() -> None:
    said: list[str] = []
    with pytest.raises(ValueError, match="it failed"), hold_start_lock(said.append):
        raise ValueError("it failed")
    with hold_start_lock(said.append):
        pass
    assert said == []


def test_lock_does_not_delay_migrations_outside_a_transaction() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no concurrent indexes.")
    with hold_start_lock(print), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20s'")
        cursor.execute("CREATE INDEX CONCURRENTLY test_lock ON core_act (what)")
        cursor.execute("DROP INDEX CONCURRENTLY test_lock")
        cursor.execute("RESET statement_timeout")


def start_together(*hosts: Host) -> None:
    for host in hosts:
        host.start()
    try:
        for host in hosts:
            host.wait_until_ready()
            assert "Traceback" not in host.log(), host.log()
    finally:
        for host in hosts:
            host.stop()


@pytest.mark.slow
def test_two_hosts_that_start_at_once_on_an_empty_database_both_come_up(
    database: str, tmp_path: Path
) -> None:
    start_together(*two_hosts(tmp_path, database))


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")
def test_two_hosts_start_at_once_through_pgbouncer(database: str, tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PgBouncer is for PostgreSQL.")
    with pgbouncer(database_url(database)) as url:
        start_together(*two_hosts(tmp_path, database, DATABASE_URL=url))


def two_hosts(folder: Path, database: str, **settings: str) -> tuple[Host, Host]:
    """Two hosts with the same keys."""
    keys = {
        "SECRET_KEY": "a key that both hosts share, long enough for the check of its length 01234",
        "SECRETS_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    }
    first, second = (Host(folder / name, database, **keys, **settings) for name in ("a", "b"))
    return first, second
