"""What staff chose about the reading of a file, and what the reader then found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Choices:
    """None or False: the reader decides."""

    encoding: str | None = None
    sheet: int | None = None
    """Index among the visible sheets."""
    heading_row: int | None = None
    """Row number in the file; 0: the file has no heading."""
    leave_out_hidden: bool = False

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Choices:
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in (stored or {}).items() if name in known})
