"""How the values of a column are read from either database, written, and compared."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Final

from django.db import models
from django.db.models import ExpressionWrapper, F

NULL_SHOWN: Final = "\N{SYMBOL FOR NULL}"
"""PostgreSQL stores no null character. The clients of the providers write this one, too."""
RAW_KINDS: Final = {"JSONField", "TextField", "BinaryField"}
"""Columns that are copied as they are stored: JSON keeps its numbers, and what is encrypted stays
encrypted, so that a move needs no key."""
MODULUS: Final = 1 << 128
_EXACT: Final = Context(prec=2_000)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    source: Any
    """What to select on either database, for `values_list`."""
    clean: Callable[[Any], Any] | None = None
    """Makes a value of SQLite one that PostgreSQL accepts."""
    canonical: Callable[[Any], Any] | None = None
    """Makes equal what means the same on both databases."""
    longest: int | None = None


@dataclass(slots=True)
class Digest:
    """The number of rows and the sum of their hashes, which does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, values: Iterable[Any]) -> None:
        hashed = hashlib.blake2b(repr(tuple(values)).encode(), digest_size=16).digest()
        self.total = (self.total + int.from_bytes(hashed, "big")) % MODULUS
        self.rows += 1

    @property
    def shown(self) -> str:
        return f"{self.total:032x}"[:16]


@dataclass(slots=True)
class Replaced:
    """How many values of each column had characters that PostgreSQL does not store."""

    counts: dict[str, int] = field(default_factory=dict)

    def note(self, column: str) -> None:
        self.counts[column] = self.counts.get(column, 0) + 1


def column_of(one: models.Field[Any, Any]) -> Column:
    kind = one.get_internal_type()
    name = str(one.column)
    if kind == "JSONField":
        return Column(name, _as_stored(one, models.TextField()), clean_json, canonical_json)
    if kind == "BinaryField":
        return Column(name, _as_stored(one, models.BinaryField()), None, bytes)
    if kind == "DateTimeField":
        return Column(name, F(one.attname), None, _in_utc)
    if kind == "DecimalField":
        return Column(name, F(one.attname), None, _plain_number)
    if kind == "GenericIPAddressField":
        return Column(name, F(one.attname), None, _address)
    # Subclasses that decrypt, and libraries' own columns such as pickles, are texts here.
    is_text = kind in RAW_KINDS or isinstance(one, models.CharField)
    if is_text:
        source = _as_stored(one, models.TextField())
        return Column(name, source, clean_text, None, _longest(one))
    return Column(name, F(one.attname))


def _as_stored(one: models.Field[Any, Any], kind: models.Field[Any, Any]) -> Any:
    return ExpressionWrapper(F(one.attname), output_field=kind)


def _longest(one: models.Field[Any, Any]) -> int | None:
    """Text columns have no limit, whatever `max_length` says to forms."""
    return one.max_length if isinstance(one, models.CharField) else None


# --- what PostgreSQL accepts ----------------------------------------------------------------


def clean_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Lone halves of an emoji become escapes, as in the clients of the providers.
    return value.replace("\0", NULL_SHOWN).encode("utf-8", "backslashreplace").decode("utf-8")


def clean_json(value: Any) -> Any:
    """The text of a JSON value. Unchanged unless it holds what `jsonb` refuses."""
    if not isinstance(value, str):
        return value
    if "\\u" not in value and "\0" not in value and "NaN" not in value and "Infinity" not in value:
        return value
    parsed = json.loads(value, parse_float=_Number, parse_constant=str, strict=False)
    return _dump(_clean_parts(parsed))


class _Number(float):
    """A number that is written again as it was read."""

    text: str

    def __new__(cls, text: str) -> _Number:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text


def _clean_parts(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean_text(key): _clean_parts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_clean_parts(part) for part in value]
    return clean_text(value)


def _dump(value: Any) -> str:
    """JSON with the digits of `_Number`, which the encoder of the library would round."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}: {_dump(part)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return value.text if isinstance(value, _Number) else json.dumps(value)


# --- what is equal --------------------------------------------------------------------------


def canonical_json(value: Any) -> Any:
    """Equal for texts of the same value: order of keys, spaces and `1.0` for `1` do not count."""
    if not isinstance(value, str):
        return value
    return _canonical_parts(json.loads(value, parse_float=Decimal, parse_int=Decimal))


def _canonical_parts(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, repr(_canonical_parts(part))) for key, part in value.items())
    if isinstance(value, list):
        return [_canonical_parts(part) for part in value]
    return _plain_number(value) if isinstance(value, Decimal) else value


def _plain_number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    return "0" if value.is_zero() else f"{value.normalize(_EXACT):f}"


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _address(value: Any) -> Any:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return value
