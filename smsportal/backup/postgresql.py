"""PostgreSQL: dump the database as of one moment, and put a dump in its place.

A dump is loaded into a schema of its own first, and the two change places at the end, so that the
former tables stay as they are until then, and afterwards under another name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.utils import DatabaseError, OperationalError, ProgrammingError

from . import BackupError, pg_script, pg_tools
from .contents import POSTGRESQL_TABLES, Contents, examine

STAGED: Final = "smsportal_restoring"
ASIDE: Final = "smsportal_aside"
TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')"
    " AND pg_has_role(relowner, 'USAGE')"
)
FUNCTIONS: Final = (
    "SELECT format('%%s.%%I(%%s)', %s::regnamespace, proname,"
    " pg_get_function_identity_arguments(oid)) FROM pg_proc"
    " WHERE pronamespace = %s::regnamespace AND prokind = 'f' AND pg_has_role(proowner, 'USAGE')"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass"
    " AND objid = pg_proc.oid AND deptype = 'e')"
)
"""Those of extensions stay where they are."""
OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND usename = current_user AND backend_type = 'client backend'"
)
DIRECT: Final = "Let DATABASE_URL name the server itself, and not a pooler such as PgBouncer."
LEAVING_SECONDS: Final = 2.0
"""How long the connections of a process that has just ended may still be seen."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as of one moment, for as long as its transaction is open."""

    id: str
    schema: str
    server: str
    server_number: int
    contents: Contents


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """On a connection of its own, so that the transaction is ours alone."""
    own: Any = connection.copy()
    try:
        own.ensure_connection()
        with own.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            read = _reader(cursor)
            found = examine(read, POSTGRESQL_TABLES)
            exported = read(
                "SELECT pg_export_snapshot(), current_schema(), current_setting('server_version')"
            )[0]
            exported_id, schema, server = map(str, exported)
            yield Snapshot(exported_id, schema, server, own.pg_version, found)
            cursor.execute("COMMIT")
    finally:
        own.close()


def _reader(cursor: Any) -> Any:
    def read(query: str) -> list[tuple[Any, ...]]:
        cursor.execute(query)
        return list(cursor.fetchall())

    return read


def dump(seen: Snapshot) -> Iterator[bytes]:
    """The custom format of pg_dump, as it comes."""
    variables, arguments = pg_tools.environment(connection.get_connection_params())
    command = [
        pg_tools.find("pg_dump", seen.server_number),
        "--format=custom",
        "--no-password",
        "--lock-wait-timeout=60000",
        f"--snapshot={seen.id}",
        f'--schema="{seen.schema}"',
        *arguments,
    ]
    if role := connection.settings_dict["OPTIONS"].get("assume_role"):
        command.append(f"--role={role}")
    with pg_tools.output_of(command, variables) as output:
        yield from pg_tools.chunks_of(output)


def count_rows(pieces: Iterable[bytes]) -> dict[str, int]:
    """Read a whole dump back. Returns its rows by table."""
    with _script(pieces, "--data-only") as script:
        return pg_script.count_rows(script)


@contextmanager
def _script(pieces: Iterable[bytes], *options: str) -> Iterator[Iterable[bytes]]:
    own: Any = connection
    own.ensure_connection()
    variables, _ = pg_tools.environment({})
    command = [pg_tools.find("pg_restore", own.pg_version), "--file=-", *options]
    with pg_tools.output_of(command, variables, pieces) as output:
        yield output


class Target:
    """The portal's own schema, as what a backup is restored into."""

    kind: Final = "postgresql"

    def __init__(self, now: datetime) -> None:
        self.former = f"before_restore_{now:%Y%m%dt%H%M%Sz}"
        self.schema = str(self._query("SELECT current_schema()")[0][0] or "")
        if not self.schema:
            raise BackupError("The database has no schema that the portal may write to.")

    def require_idle(self) -> None:
        """Raise `BackupError` if another program is connected in the portal's name."""
        end = time.monotonic() + LEAVING_SECONDS
        while (others := self._query(OTHERS)[0][0]) and time.monotonic() < end:
            time.sleep(0.1)
        if others:
            raise BackupError(
                f"The portal's user has {others} other connections to the database."
                " Stop the portal on every host first."
            )

    def contents(self) -> Contents | None:
        with connection.cursor() as cursor:
            return examine(_reader(cursor), POSTGRESQL_TABLES)

    @contextmanager
    def stage(self, pieces: Iterable[bytes]) -> Iterator[Contents]:
        """Load a backup into a schema of its own, which `staged_settings` connects to.

        A dump names its schema. So in one transaction the present tables make room, the dump is
        loaded, and both move to where they belong.
        """
        try:
            with _in_sentences(), transaction.atomic():
                self._make_room()
                options = ("--no-owner", "--no-privileges", f"--schema={self.schema}")
                with _script(pieces, *options) as script:
                    pg_script.execute(script, connection.connection.cursor())
                self._move_all(self.schema, STAGED)
                self._move_all(ASIDE, self.schema)
                self._execute(f"DROP SCHEMA {ASIDE}")
            yield self._staged_contents()
        finally:
            with transaction.atomic():
                self._execute(f"DROP SCHEMA IF EXISTS {STAGED} CASCADE")

    def staged_settings(self) -> dict[str, Any]:
        options = dict(connection.settings_dict["OPTIONS"])
        options["options"] = f"{options.get('options', '')} -c search_path={STAGED}".strip()
        return {"OPTIONS": options}

    def require_staged(self) -> None:
        """Raise `BackupError` unless the connection leads to the loaded backup.

        A pooler may refuse or drop the search path, and whatever follows would meet present data.
        """
        try:
            schema = self._query("SELECT current_schema()")[0][0]
        except OperationalError as error:
            raise BackupError(f"{_first_line(error)} {DIRECT}") from None
        if schema != STAGED:
            raise BackupError(DIRECT)

    def swap(self) -> str:
        """Let both change places. Returns where the former tables are kept."""
        self.require_idle()
        with _in_sentences(), transaction.atomic():
            self._execute("SET LOCAL lock_timeout = '10s'")
            is_empty = not self._query(TABLES, [self.schema])
            if not is_empty:
                self._execute(f"CREATE SCHEMA {self.former}")
                self._move_all(self.schema, self.former)
            self._move_all(STAGED, self.schema)
        return "" if is_empty else f"schema {self.former}"

    def _make_room(self) -> None:
        self._execute("SET LOCAL lock_timeout = '10s'")
        # A restore that was killed left the first; the second exists in this transaction only.
        self._execute(f"DROP SCHEMA IF EXISTS {STAGED} CASCADE")
        self._execute(f"CREATE SCHEMA {STAGED}")
        self._execute(f"CREATE SCHEMA {ASIDE}")
        self._move_all(self.schema, ASIDE)

    def _move_all(self, source: str, target: str) -> None:
        """Indexes, constraints, triggers and the sequences of columns move with their tables."""
        quote = connection.ops.quote_name
        for (table,) in self._query(TABLES, [source]):
            self._execute(f"ALTER TABLE {quote(source)}.{quote(table)} SET SCHEMA {quote(target)}")
        for (function,) in self._query(FUNCTIONS, [source, source]):
            self._execute(f"ALTER FUNCTION {function} SET SCHEMA {quote(target)}")

    def _staged_contents(self) -> Contents:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL search_path = {STAGED}")
            return examine(_reader(cursor), POSTGRESQL_TABLES)

    def _query(self, query: str, parameters: list[str] | None = None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return list(cursor.fetchall())

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def _in_sentences() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        raise BackupError(
            f"The server refused to load the backup: {_first_line(error)} The portal's user must"
            " own its tables and may create schemas in the database."
        ) from None
    except OperationalError as error:
        raise BackupError(f"The database is in use or away: {_first_line(error)}") from None
    except DatabaseError as error:
        raise BackupError(f"The backup could not be loaded: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") + "."
