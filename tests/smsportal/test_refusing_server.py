"""A PostgreSQL server that refuses the portal: one readable line, before anything starts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from smsportal.configuration.environment import EXIT_CODE
from tests.database import Server, server_binaries
from tests.support.hosts import Host

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.skipif(not server_binaries(), reason="no PostgreSQL server is installed"),
]

PASSWORD: Final = "correct-horse"
PREPARE: Final = f"""
CREATE ROLE portal LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE limited LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0;
CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';
CREATE DATABASE portal OWNER portal;
CREATE DATABASE closed OWNER portal;
REVOKE CONNECT ON DATABASE closed FROM PUBLIC;
REVOKE CREATE ON DATABASE portal FROM PUBLIC
"""
NAMED: Final = "DATABASE_URL (from the environment): the database cannot be used: "
MAX_CONNECTIONS: Final = 8


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that asks everybody but its superuser for a password."""
    # The path of a socket has a short limit.
    with tempfile.TemporaryDirectory(prefix="smsportal-pg-", dir="/tmp") as folder:
        server = Server(server_binaries()[0], Path(folder), max_connections=str(MAX_CONNECTIONS))
        try:
            assert server.start()
            access = server.data / "pg_hba.conf"
            access.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
            with session(server) as opened:
                opened.execute("SELECT pg_reload_conf()")
                for statement in PREPARE.split(";"):
                    opened.execute(statement)
            yield server
        finally:
            server.stop()


@contextmanager
def session(server: Server, url: str = "") -> Iterator[psycopg.Connection]:
    address = (url or server.url).replace("postgres:", "postgresql:", 1)
    with psycopg.connect(address, autocommit=True) as opened:
        yield opened


def url_of(server: Server, role: str, password: str = PASSWORD, database: str = "portal") -> str:
    return f"postgres://{role}:{password}@/{database}?host={server.folder}"


def start(folder: Path, url: str) -> str:
    """The line with which the start ends."""
    host = Host(folder, "", DATABASE_URL=url)
    host.start()
    assert host.exit_code() == EXIT_CODE, host.log()
    skipped = ("Warning: ", "New keys were written")
    (line,) = [line for line in host.log().splitlines() if not line.startswith(skipped)]
    return line


@pytest.mark.parametrize(
    ("role", "password", "database", "reason"),
    [
        ("portal", "hunter2", "portal", 'password authentication failed for user "portal"'),
        ("nobody", "hunter2", "portal", 'password authentication failed for user "nobody"'),
        ("reader", PASSWORD, "closed", 'permission denied for database "closed"'),
        ("portal", PASSWORD, "missing", 'database "missing" does not exist'),
        ("limited", PASSWORD, "portal", 'too many connections for role "limited"'),
        ("reader", PASSWORD, "portal", "permission denied for schema public"),
    ],
)
def test_refusal_is_one_line_without_the_password(
    tmp_path: Path, server: Server, role: str, password: str, database: str, reason: str
) -> None:
    line = start(tmp_path, url_of(server, role, password, database))
    assert line.startswith(NAMED)
    assert reason in line
    assert password not in line


def test_server_without_a_free_connection(tmp_path: Path, server: Server) -> None:
    url = url_of(server, "portal")
    with ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS):
            try:
                taken.enter_context(session(server, url))
            except psycopg.OperationalError as error:
                full = str(error)
                break
        assert "connection slots" in full
        line = start(tmp_path, url)
    assert line.startswith(NAMED)
    assert "connection slots" in line
