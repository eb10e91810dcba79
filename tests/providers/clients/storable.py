"""Whether a value of the contract can be stored by any database, however odd its source."""

from __future__ import annotations

from collections.abc import Mapping
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
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            assert_storable(name)
            assert_storable(inner)
    elif isinstance(value, tuple):
        for inner in value:
            assert_storable(inner)
    elif is_dataclass(value):
        for field in fields(value):
            assert_storable(getattr(value, field.name))
