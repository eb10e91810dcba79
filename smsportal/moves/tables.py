"""The tables of the portal, and the way of their rows from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db import DataError, IntegrityError, connection, connections, models
from django.db.migrations.recorder import MigrationRecorder

from . import MoveError
from .source import ALIAS
from .values import Column, Digest, Replaced, column_of

CHUNK: Final = 2_000
LARGE_CHUNK: Final = 8
"""For tables with files in them."""
MOST_PROBLEMS: Final = 20
SESSIONS: Final = "django_session"


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    model: type[models.Model]
    columns: Sequence[Column]

    @property
    def chunk(self) -> int:
        fields = self.model._meta.local_concrete_fields
        has_files = any(one.get_internal_type() == "BinaryField" for one in fields)
        return LARGE_CHUNK if has_files else CHUNK

    def rows(self, alias: str) -> Iterator[tuple[Any, ...]]:
        """All rows in any order, with the values as Django reads them from that database."""
        selected = [column.source for column in self.columns]
        found = self.model._base_manager.using(alias).order_by().values_list(*selected)
        return found.iterator(chunk_size=self.chunk)


@dataclass(slots=True)
class Copied:
    table: Table
    digest: Digest
    replaced: Replaced = field(default_factory=Replaced)


def all_tables() -> list[Table]:
    """Every table of every app, and that of the migrations."""
    recorded: type[models.Model] = MigrationRecorder.Migration
    found = {}
    for model in (*apps.get_models(include_auto_created=True), recorded):
        if model._meta.managed and not model._meta.proxy:
            columns = [column_of(one) for one in model._meta.local_concrete_fields]
            found[model._meta.db_table] = Table(model._meta.db_table, model, columns)
    return [found[name] for name in sorted(found)]


def copy(table: Table) -> Copied:
    """Copy all rows. Raises `MoveError` that names the values which PostgreSQL cannot hold."""
    copied = Copied(table, Digest())
    quote = connection.ops.quote_name
    names = ", ".join(quote(column.name) for column in table.columns)
    statement = f"COPY {quote(table.name)} ({names}) FROM STDIN"
    problems: list[str] = []
    rows = _cleaned(copied, problems)
    try:
        # Django translates no errors of COPY.
        with (
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            cursor.copy(statement) as target,
        ):
            for row in rows:
                target.write_row(row)
    except (DataError, IntegrityError) as error:
        error.__traceback__ = None
        raise MoveError(f"{table.name}: {_why(error)}") from None
    except (ValueError, TypeError, ArithmeticError) as error:
        # Its frames hold the cursor, which must be closed before the connection.
        error.__traceback__ = None
        raise MoveError(f"{table.name} holds a value that cannot be read: {error}") from None
    finally:
        rows.close()
    if problems:
        raise MoveError("\n".join(problems[:MOST_PROBLEMS]))
    return copied


def _cleaned(copied: Copied, problems: list[str]) -> Generator[list[Any], None, None]:
    """The rows as PostgreSQL accepts them. Those with a problem are named and left out."""
    columns = copied.table.columns
    for row in copied.table.rows(ALIAS):
        values = list(row)
        for place, column in enumerate(columns):
            value = values[place]
            if column.clean is not None and (cleaned := column.clean(value)) != value:
                copied.replaced.note(column.name)
                values[place] = value = cleaned
            if column.longest and isinstance(value, str) and len(value) > column.longest:
                problems.append(
                    f"{copied.table.name}: {column.name} of the row {row[0]} has {len(value)}"
                    f" characters, and PostgreSQL takes {column.longest}."
                )
        try:
            copied.digest.add(_canonical(columns, values))
        except (ValueError, TypeError, ArithmeticError):
            problems.append(
                f"{copied.table.name}: {_unreadable(columns, values)} of the row {row[0]} holds a"
                " value that cannot be read."
            )
        if not problems:
            yield values


def digest_of(table: Table) -> Digest:
    """Read the rows back from PostgreSQL."""
    digest = Digest()
    for row in table.rows(connection.alias):
        digest.add(_canonical(table.columns, row))
    return digest


def _canonical(columns: Sequence[Column], values: Sequence[Any]) -> Iterator[Any]:
    for column, value in zip(columns, values, strict=True):
        yield value if column.canonical is None or value is None else column.canonical(value)


def _unreadable(columns: Sequence[Column], values: Sequence[Any]) -> str:
    """The columns whose values are not of their kind."""
    found = []
    for column, value in zip(columns, values, strict=True):
        try:
            list(_canonical([column], [value]))
        except (ValueError, TypeError, ArithmeticError):
            found.append(column.name)
    return ", ".join(found)


def filled(table: Table, alias: str) -> tuple[int, ...]:
    """The number of rows, and of those with a value in each column, by plain SQL.

    A text that is no time, say, is read as none from SQLite, and so would be lost unnoticed.
    """
    quote = connections[alias].ops.quote_name
    counts = ", ".join(f"count({quote(column.name)})" for column in table.columns)
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*), {counts} FROM {quote(table.name)}")  # noqa: S608
        return tuple(cursor.fetchone())


def _why(error: Exception) -> str:
    """The server's sentence and the place that it names, without the value."""
    diagnosis = getattr(error.__cause__, "diag", None)
    where = str(getattr(diagnosis, "context", "") or "").partition(":")[0]
    what = str(getattr(diagnosis, "message_primary", "") or type(error).__name__)
    return f"PostgreSQL refuses a row ({where}): {what}." if where else f"{what}."
