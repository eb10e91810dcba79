"""Check that any database can store a value of the contract, however odd its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal


def assert_storable(value: object) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
        assert "\0" not in value
    elif isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value) < 10**10
        assert value == value.quantize(Decimal("0.0001"))
    elif isinstance(value, datetime):
        assert value.tzinfo is not None
        assert 2000 <= value.year <= 2100
    else:
        for inner in _parts_of(value):
            assert_storable(inner)


def _parts_of(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values())
    if isinstance(value, tuple):
        return value
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    return ()
