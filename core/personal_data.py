"""Where the portal keeps phone numbers. Each app registers its tables.

A test walks over every column of text: a new one is registered here or excused with a reason, so
that nothing is forgotten when a number is erased.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from .fields import EncryptedField, UnreadableSecret
from .phones.traces import Traces
from .secrets import Secret

Text = str | Promise
READ_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows that were looked at."""

    hits: Sequence[Any]
    """The keys of those that have the number."""
    last: Any
    """The key of the last row; None if there are no more rows."""


@dataclass(frozen=True, slots=True)
class Erased:
    changed: int = 0
    left: int = 0
    """Rows that have the number and must not be changed yet."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A text that has the number, in a row that is not about it."""

    pk: Any
    column: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Place:
    """One table in which a phone number may be."""

    model: type[Model]
    title: Text
    number: str = ""
    """The column with the number that a row is about."""
    cleared: Mapping[str, Any] = field(default_factory=dict)
    """What other columns of such a row become."""
    searched: Sequence[str] = ()
    """Columns that may mention any number."""
    is_deleted: bool = False
    """Rows about the number are deleted instead of changed."""
    under_way: Q | None = None
    """Rows whose outcome is open. They must not be changed yet."""
    on_purpose: bool = False
    """Rows about the number stay unless the person who erases it says otherwise."""
    handed_out: Sequence[str] = ()
    """Columns that a person gets who asks for the data about their number."""
    mentioned: Sequence[str] = ()
    """Columns whose texts that person gets, too, where they have the number. Never what staff wrote
    about their own work, such as the reason of a legal hold."""
    excused: Mapping[str, str] = field(default_factory=dict)
    """Columns of text that hold no number, and why."""
    subject: str = ""
    """The kind in the subjects (`kind:id`) of journal entries and callbacks about such a row."""
    chunk: int = 1_000
    """Rows that are looked at together."""

    @property
    def key(self) -> str:
        return self.model._meta.label_lower

    @property
    def rows(self) -> QuerySet[Any]:
        return self.model._base_manager.all()

    @property
    def columns(self) -> list[str]:
        own = [self.number] if self.number else []
        return list(dict.fromkeys([*own, *self.cleared, *self.searched]))

    def about(self, traces: Traces) -> QuerySet[Any]:
        """The rows about the number."""
        if not self.number:
            return self.rows.none()
        return self.rows.filter(**{f"{self.number}__in": traces.plain_writings})

    def open_rows(self, traces: Traces) -> int:
        """How many rows about the number are under way."""
        return self.about(traces).filter(self.under_way).count() if self.under_way else 0

    def look(self, traces: Traces, after: Any, *, on_purpose: bool) -> Chunk:
        """Look at the next rows by their keys."""
        columns = self.columns
        found = self.rows.order_by("pk") if after is None else self._following(after)
        rows = list(found.values_list("pk", *columns)[: self.chunk])
        hits = [
            pk
            for pk, *values in rows
            if self._has(traces, dict(zip(columns, values, strict=True)), on_purpose=on_purpose)
        ]
        return Chunk(hits, rows[-1][0] if len(rows) == self.chunk else None)

    def read_texts(self, after: Any) -> tuple[list[str], Any]:
        """The texts of the next rows by their keys, and the key of the last row; None if there are
        no more rows."""
        found = self.rows.order_by("pk") if after is None else self._following(after)
        rows = list(found.values_list("pk", *self.searched)[:READ_AT_ONCE])
        texts = [text_of(value) for _pk, *values in rows for value in values]
        return texts, rows[-1][0] if len(rows) == READ_AT_ONCE else None

    def mentions(self, traces: Traces, after: Any) -> tuple[list[Mention], Any]:
        """The texts with the number in the next rows, unless the rows are about it. The key of the
        last row; None if there are no more rows."""
        columns = [*([self.number] if self.number else []), *self.mentioned]
        found = self.rows.order_by("pk") if after is None else self._following(after)
        rows = list(found.values_list("pk", *columns)[: self.chunk])
        named = [(pk, dict(zip(columns, values, strict=True))) for pk, *values in rows]
        mentions = [
            Mention(pk, name, _readable(row[name]))
            for pk, row in named
            if not self._is_about(traces, row)
            for name in self.mentioned
            if traces.is_in(text_of(row[name]))
        ]
        return mentions, rows[-1][0] if len(rows) == self.chunk else None

    def erase(
        self, hits: Sequence[Any], traces: Traces, stand_in: str, *, on_purpose: bool
    ) -> Erased:
        """Erase the number from these rows, in the caller's transaction."""
        rows = self.rows.filter(pk__in=list(hits))
        left = set(
            rows.filter(self.under_way).values_list("pk", flat=True) if self.under_way else ()
        )
        free = rows.exclude(pk__in=left)
        changed = 0
        for pk, *values in free.select_for_update().values_list("pk", *self.columns):
            row = dict(zip(self.columns, values, strict=True))
            if not self._has(traces, row, on_purpose=on_purpose):
                continue
            changed += 1
            own = self.rows.filter(pk=pk)
            if self.is_deleted and self._is_about(traces, row):
                own.delete()
            else:
                own.update(**self._changes(traces, row, stand_in, on_purpose=on_purpose))
        return Erased(changed, len(left))

    def _following(self, after: Any) -> QuerySet[Any]:
        return self.rows.filter(pk__gt=after).order_by("pk")

    def _is_about(self, traces: Traces, row: Mapping[str, Any]) -> bool:
        return bool(self.number) and traces.is_number(str(row[self.number] or ""))

    def _has(self, traces: Traces, row: Mapping[str, Any], *, on_purpose: bool) -> bool:
        if self._is_about(traces, row) and (on_purpose or not self.on_purpose):
            return True
        return any(traces.is_in(text_of(row[name])) for name in self.searched)

    def _changes(
        self, traces: Traces, row: Mapping[str, Any], stand_in: str, *, on_purpose: bool
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for name in self.searched:
            if traces.is_in(text_of(row[name])):
                changes[name] = self._fitting(name, _without(traces, row[name], stand_in))
        if self._is_about(traces, row) and (on_purpose or not self.on_purpose):
            changes |= {self.number: stand_in, **self.cleared}
        return changes

    def _fitting(self, name: str, value: Any) -> Any:
        column = self.model._meta.get_field(name)
        longest = getattr(column, "max_length", None)
        return value[:longest] if longest and isinstance(value, str) else value


def text_of(value: Any) -> str:
    """The value of a column as text to search. Empty if no key can decrypt it."""
    if not value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Secret):
        try:
            return value.reveal()
        except UnreadableSecret:
            return ""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("latin-1")
    return json.dumps(value, ensure_ascii=False, default=str)


def _readable(value: Any) -> str:
    """As `text_of`, with the letters of bytes."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return text_of(value)


def _without(traces: Traces, value: Any, stand_in: str) -> Any:
    if isinstance(value, Secret):
        return Secret(traces.replaced(value.reveal(), stand_in))
    return traces.replaced(value, stand_in)


_places: Final[dict[str, Place]] = {}
_excused: Final[dict[str, str]] = {}
_holds: Final[list[Callable[[], frozenset[str]]]] = []


def register(place: Place) -> None:
    _places[place.key] = place


def excuse(why: str, *labels: str) -> None:
    """Name tables (`app.model`) whose columns of text hold no phone number of other people."""
    _excused.update(dict.fromkeys(labels, why))


def places() -> list[Place]:
    """In the order in which a number is erased."""
    return list(_places.values())


def register_holds(numbers: Callable[[], frozenset[str]]) -> None:
    """Register who knows the numbers (E.164) that must neither be erased nor pruned now."""
    _holds.append(numbers)


def held_numbers() -> frozenset[str]:
    return frozenset().union(*(numbers() for numbers in _holds))


def unregistered_columns() -> Iterator[str]:
    """The columns of text that no app registers or excuses."""
    from django.apps import apps

    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        if model._meta.proxy or label in _excused:
            continue
        place = _places.get(label)
        for column in model._meta.local_concrete_fields:
            known = place and (column.name in place.columns or column.name in place.excused)
            if _may_hold_text(column) and column.name not in WORDS_OF_OURS and not known:
                yield f"{label}.{column.name}"


WORDS_OF_OURS: Final = frozenset(
    {"public_id", "form_token", "state", "country", "region", "kind", "verdict", "problem"}
)
"""Columns that hold ids and words of the portal in every table."""


def _may_hold_text(column: Any) -> bool:
    if isinstance(column, EncryptedField):
        return True
    kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    return isinstance(column, kinds) and not column.choices
