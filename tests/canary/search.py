"""Search the database, its file, the queue, the sessions and the cache for planted values."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import pickle
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache.backends import locmem
from django.core.management import call_command
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from core.redaction import spellings
from tests.canary.planted import forbidden_values

ZLIB_HEADER = 0x78
"""The first byte of zlib data."""


def text_of(value: object) -> str:
    """The value as text, together with any base64 or zlib content that it holds."""
    raw = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()
    found = [raw]
    with contextlib.suppress(binascii.Error):
        found.append(base64.b64decode(raw.strip(), validate=True))
    for each in list(found):
        for start in (at for at, byte in enumerate(each[:200]) if byte == ZLIB_HEADER):
            try:
                found.append(zlib.decompressobj().decompress(each[start:]))
            except zlib.error:
                continue
            break
    return "\n".join(each.decode("utf-8", "replace") for each in found)


@functools.cache
def all_spellings(value: str) -> frozenset[str]:
    return frozenset({value, *spellings(value)})


def leaks(wanted: Iterable[str], place: str, content: object) -> list[str]:
    """Excerpts of the content around the wanted values, in any spelling; at most three."""
    text = text_of(content)
    found = islice(pattern_of(frozenset(wanted)).finditer(text), 3)
    return [f"{place}: in {text[max(0, hit.start() - 80) : hit.start() + 20]!r}" for hit in found]


@functools.cache
def pattern_of(values: frozenset[str]) -> re.Pattern[str]:
    """One pattern for all values in all spellings."""
    known = {spelling for value in values for spelling in all_spellings(value)}
    return re.compile("|".join(map(re.escape, sorted(known))) or r"(?!)")


def tables() -> Iterator[tuple[str, object]]:
    """Every value in every column of every table, those of other packages included."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", value


def decoded_rows() -> Iterator[tuple[str, object]]:
    """Queued tasks, finished tasks and sessions, decoded by their own code."""
    for queued in OrmQ.objects.all():
        yield "queue", repr(SignedPackage.loads(queued.payload))
    for task in Task.objects.all():
        yield "task", repr((task.func, task.args, task.kwargs, task.result))
    for session in Session.objects.all():
        yield "session", repr(SessionStore(session.session_key).load())


def caches(folder: Path | None) -> Iterator[tuple[str, object]]:
    for name, content in locmem._caches.items():  # type: ignore[attr-defined]
        for key, value in content.items():
            yield f"cache {name}", repr((key, pickle.loads(value)))
    if folder is not None:
        for file in folder.rglob("*"):
            if file.is_file() and file.name != "keys.env" and "static" not in file.parts:
                yield f"file {file.name}", file.read_bytes()


def database_files() -> Iterator[tuple[str, object]]:
    """The SQLite files, which may still hold deleted rows."""
    if connection.vendor == "sqlite":
        path = Path(str(connection.settings_dict["NAME"]))
        for file in path.parent.glob(f"{path.name}*"):
            # Another process must read the file. A process that closes it loses the locks that
            # its own SQLite holds, and the next one to open it takes the database for unused.
            done = subprocess.run(["cat", file], capture_output=True, check=True)
            yield f"file {file.name}", done.stdout.decode("latin-1")


def compact_database() -> None:
    """Remove from the file what other tests planted and deleted."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def dump() -> str:
    out = StringIO()
    call_command("dumpdata", stdout=out)
    return out.getvalue()


def leaks_at_rest(folder: Path | None = None) -> list[str]:
    wanted = forbidden_values()
    places = [*tables(), *decoded_rows(), *caches(folder), *database_files(), ("dump", dump())]
    return [leak for place, content in places for leak in leaks(wanted, place, content)]


def columns_with_texts() -> set[str]:
    return {place for place, content in tables() if "CANARYTEXT" in text_of(content)}
