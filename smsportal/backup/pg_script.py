"""Read the SQL that `pg_restore --file=-` writes: statements, and the rows of one table each.

Reading it costs no memory, whatever the size. The portal has tables only: no function whose text
could look like a statement here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from psycopg import Cursor

from . import BackupError

COPY: Final = re.compile(rb'COPY (?:"[^"]+"|\w+)\.("[^"]+"|\w+) .*FROM stdin;\n')
END: Final = b"\\.\n"
OF_THE_SESSION: Final = (b"SET ", b"SELECT pg_catalog.set_config(", b"\\", b"--")
"""Settings that a newer program adds and an older server may not know, commands of psql, comments.
Every name in the script is qualified, so it needs none of them."""


@dataclass(frozen=True, slots=True)
class Statements:
    sql: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    sql: bytes
    table: str
    lines: Iterator[bytes]
    """Must be read before the next part."""


def parts_of(script: Iterable[bytes]) -> Iterator[Statements | Rows]:
    lines = iter(script)
    waiting: list[bytes] = []
    for line in lines:
        if copy := COPY.fullmatch(line):
            yield Statements(b"".join(waiting))
            waiting = []
            yield Rows(line.rstrip(b";\n"), copy[1].decode().strip('"'), _rows(lines))
        elif not line.startswith(OF_THE_SESSION):
            waiting.append(line)
    yield Statements(b"".join(waiting))


def _rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == END:
            return
        yield line
    raise BackupError("The dump ends in the middle of a table.")


def count_rows(script: Iterable[bytes]) -> dict[str, int]:
    """The number of rows by table, after reading all of them."""
    return {
        part.table: sum(1 for _ in part.lines)
        for part in parts_of(script)
        if isinstance(part, Rows)
    }


def execute(script: Iterable[bytes], cursor: Cursor[tuple[object, ...]]) -> None:
    for part in parts_of(script):
        if isinstance(part, Rows):
            with cursor.copy(part.sql) as target:
                for line in part.lines:
                    target.write(line)
        elif part.sql.strip():
            cursor.execute(part.sql)
