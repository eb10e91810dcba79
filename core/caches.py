"""Caches whose values are JSON.

Django's own file and database caches keep pickles, so whoever can write to them runs code in every
process of the portal. Their entries are neither read nor touched here.
"""

from __future__ import annotations

import fcntl
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.db import connections, router

CLEANED_EVERY: Final = 200
"""Writes after which expired rows of the database cache are deleted, on average."""


class JsonFileCache(FileBasedCache):
    """A file per entry: a line with the time of its end, or null, then the value.

    `add` is atomic among all processes of the host.
    """

    cache_suffix = ".json"
    # The types of Django lack these.
    _dir: str
    _key_to_file: Callable[..., str]
    _createdir: Callable[[], None]
    _delete: Callable[[str], bool]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            with Path(self._key_to_file(key, version)).open("rb") as file:
                return default if self._is_expired(file) else json.load(file)
        except (FileNotFoundError, ValueError):
            return default

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        with self._locked():
            return super().add(key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        missing = object()
        value = self.get(key, missing, version)
        if value is missing:
            return False
        self.set(key, value, timeout, version)
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._createdir()
        with (Path(self._dir) / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write_content(self, file: IO[bytes], timeout: Any, value: Any) -> None:
        ends_at = self.get_backend_timeout(timeout)
        file.write(f"{json.dumps(ends_at)}\n{json.dumps(value)}".encode())

    def _is_expired(self, f: IO[bytes]) -> bool:
        try:
            ends_at = json.loads(f.readline())
            is_over = ends_at is not None and float(ends_at) < time.time()
        except (TypeError, ValueError):
            # Written by something else, so it is no entry.
            is_over = True
        if not is_over:
            return False
        f.close()
        self._delete(f.name)
        return True


class JsonDatabaseCache(BaseDatabaseCache):
    """Entries in the table that `createcachetable` makes. `add` is atomic among all hosts."""

    _table: str

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self.get_many([key], version).get(key, default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        made = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not made:
            return {}
        places = ", ".join(["%s"] * len(made))
        rows = self._run(
            "SELECT cache_key, value FROM {table}"  # noqa: S608 - placeholders only
            f" WHERE cache_key IN ({places}) AND expires > %s",
            [*made, _now()],
            read=True,
        )
        return {made[key]: json.loads(value) for key, value in rows}

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._write(key, value, timeout, version)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return self._write(key, value, timeout, version, only_if_expired=True)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        sql = "UPDATE {table} SET expires = %s WHERE cache_key = %s AND expires > %s"
        return bool(self._run(sql, [self._end_of(timeout), name, _now()]))

    def delete(self, key: Any, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        return bool(self._run("DELETE FROM {table} WHERE cache_key = %s", [name]))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self.get_many([key], version))

    def clear(self) -> None:
        self._run("DELETE FROM {table}", [])

    def _write(
        self,
        key: Any,
        value: Any,
        timeout: Any,
        version: int | None,
        *,
        only_if_expired: bool = False,
    ) -> bool:
        name = self.make_and_validate_key(key, version=version)
        sql = (
            "INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s)"
            " ON CONFLICT (cache_key)"
            " DO UPDATE SET value = excluded.value, expires = excluded.expires"
        )
        values: list[Any] = [name, json.dumps(value), self._end_of(timeout)]
        if only_if_expired:
            sql += " WHERE {table}.expires <= %s"
            values.append(_now())
        written = bool(self._run(sql, values))
        if random.randrange(CLEANED_EVERY) == 0:  # noqa: S311 - decides about tidiness only
            self._run("DELETE FROM {table} WHERE expires <= %s", [_now()])
        return written

    def _end_of(self, timeout: Any) -> datetime:
        ends_at = self.get_backend_timeout(timeout)
        return datetime.max.replace(tzinfo=UTC) if ends_at is None else _moment(ends_at)

    def _run(self, sql: str, values: list[Any], *, read: bool = False) -> Any:
        """The rows of a query, or the number of rows that a statement changed."""
        route = router.db_for_read if read else router.db_for_write
        connection = connections[route(self.cache_model_class)]
        table = connection.ops.quote_name(self._table)
        adapt = connection.ops.adapt_datetimefield_value
        adapted = [adapt(one) if isinstance(one, datetime) else one for one in values]
        with connection.cursor() as cursor:
            cursor.execute(sql.format(table=table), adapted)
            return cursor.fetchall() if read else cursor.rowcount


def _now() -> datetime:
    return _moment(time.time())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
