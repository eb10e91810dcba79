"""A PostgreSQL server fails in the middle of sends: every answer is kept, and nothing is repeated.

The server is the test's own, since it is stopped, filled up and left without connections.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from psycopg.conninfo import make_conninfo

from benchmarks.soak.stores import PostgreSQLStore, filled, open_store, small_disk
from sandbox.server import Sandbox
from tests.providers.engine.test_database_outages import send_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

NAME = "soak"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


@pytest.fixture
def store() -> Iterator[PostgreSQLStore]:
    """A server with an empty copy of the test's database, to which this process is connected."""
    if connection.vendor != "postgresql":
        pytest.skip("on PostgreSQL only")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        # The server runs as another user.
        folder.chmod(0o711)
        stack.enter_context(small_disk(folder / "data"))
        store = stack.enter_context(open_store("postgresql", folder / "data"))
        assert isinstance(store, PostgreSQLStore)
        copy_test_database(store)
        with connected_to(store):
            yield store


def copy_test_database(store: PostgreSQLStore) -> None:
    given = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    source = make_conninfo(**{name: given[name] for name in names if given.get(name)})
    tools = store.server.binaries
    dump = subprocess.run([str(tools / "pg_dump"), "-d", source], check=True, capture_output=True)
    target = ["-h", str(store.server.folder), "-U", "postgres", "-d", NAME]
    command = [str(tools / "psql"), "-q", "-v", "ON_ERROR_STOP=1", *target]
    subprocess.run(command, input=dump.stdout, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def connected_to(store: PostgreSQLStore) -> Iterator[None]:
    """Use that server's database as `default` within the block, in other threads, too."""
    names = ("NAME", "HOST", "PORT", "USER")
    original = {name: connection.settings_dict[name] for name in names}
    _connect({"NAME": NAME, "HOST": str(store.server.folder), "PORT": "", "USER": "postgres"})
    try:
        yield
    finally:
        _connect(original)


def _connect(settings: dict[str, Any]) -> None:
    connection.close()
    # In place, since the connections of other threads are made from it.
    connection.settings_dict.update(settings)
    ContentType.objects.clear_cache()


@contextmanager
def full_disk(store: PostgreSQLStore) -> Iterator[None]:
    """Leave the server no space, not even for its log, which then ends it."""
    with filled(store.folder):
        with suppress(psycopg.Error):
            run(store, "SELECT pg_switch_wal()")
        yield
    store.keep_running()


def run(store: PostgreSQLStore, statement: str) -> None:
    address = f"postgresql://postgres@/{NAME}?host={store.server.folder}"
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as session:
        session.execute(statement.encode())


def refuses(store: PostgreSQLStore) -> bool:
    try:
        run(store, "CREATE TABLE probe (number integer); DROP TABLE probe")
    except psycopg.Error:
        return True
    return False


OUTAGES: dict[str, Callable[[PostgreSQLStore], AbstractContextManager[None]]] = {
    "restarted": lambda store: store.away(signal.SIGINT),
    "crashed": lambda store: store.away(signal.SIGQUIT),
    "too many connections": lambda store: store.exhausted(cut=True),
    "disk full": full_disk,
}


@pytest.mark.parametrize("kind", OUTAGES)
def test_every_answer_is_kept_while_the_server_fails(
    store: PostgreSQLStore, sandbox: Sandbox, kind: str
) -> None:
    if kind == "disk full" and not store.folder.is_mount():
        pytest.skip("only root can mount a small file system")
    refused: list[bool] = []
    with ExitStack() as stack:

        def end() -> None:
            refused.append(refuses(store))
            stack.close()

        send_all(sandbox, lambda: stack.enter_context(OUTAGES[kind](store)), end)
    assert refused == [True]
