"""Notice what is unusual about the good rows of a whole file.

Each oddity is a warning, never a refusal: staff confirm it before the batch can start.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .code_columns import is_of_other_country

ENDING: Final = "0000"
"""One number in 10,000 ends in four zeros by chance."""
MIN_ZEROS: Final = 3
ZEROS_SHARE: Final = 0.01
HALF: Final = 0.5
NAMED_ROWS: Final = 3
MINORITY: Final = 0.1
ENOUGH_ROWS: Final = 10
ENOUGH_HISTORY: Final = 20
USUAL_SHARE: Final = 0.05
MAX_COUNTRIES: Final = 5
DECIMAL: Final = re.compile(r"\+?[0-9]{7,}[.,][0-9]+")
NORTH_AMERICAN: Final = re.compile(
    r"1[ .\-]?(?:\([0-9]{3}\)[ .\-]?|[0-9]{3}[ .\-])[0-9]{3}[ .\-][0-9]{4}"
)
"""1 (305) 555-1234, as numbers of +1 are written. China writes 130 5555 1234."""


@dataclass
class _Found:
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first ones."""

    def add(self, row: int) -> None:
        self.count += 1
        if len(self.rows) < NAMED_ROWS:
            self.rows.append(row)

    def values(self) -> dict[str, Any]:
        return {"count": self.count, "rows": self.rows}


@dataclass
class OddityCount:
    """Counts oddities row by row."""

    total: int = 0
    zeros: _Found = field(default_factory=_Found)
    decimals: _Found = field(default_factory=_Found)
    north_american: _Found = field(default_factory=_Found)
    other_codes: _Found = field(default_factory=_Found)
    countries: dict[str, _Found] = field(default_factory=dict)
    code_column: int | None = None
    """Index of the column that has the country codes of the numbers."""

    def count(
        self, typed: str, row: int, recipient: str, country: str, cells: Sequence[str] = ()
    ) -> None:
        self.total += 1
        column = self.code_column
        stated = cells[column] if column is not None and column < len(cells) else ""
        if stated and is_of_other_country(stated, typed, recipient):
            self.other_codes.add(row)
        if recipient.endswith(ENDING):
            self.zeros.add(row)
        found = self.countries.get(country)
        if found is None:
            found = self.countries[country] = _Found()
        found.add(row)
        if typed.isdigit():
            return
        plain = typed.strip()
        if DECIMAL.fullmatch(plain):
            self.decimals.add(row)
        if country == "CN" and NORTH_AMERICAN.fullmatch(plain):
            self.north_american.add(row)

    def warnings(self, recent: Mapping[str, int]) -> list[dict[str, Any]]:
        """`recent`: how many of the account's latest messages went to each country."""
        found = []
        if self._has_many_zeros():
            found.append(warning("zeros", self.zeros.values()))
        if self.decimals.count:
            found.append(warning("decimals", self.decimals.values()))
        if self.north_american.count:
            found.append(warning("north_american", self.north_american.values()))
        if self.other_codes.count:
            found.append(warning("other_codes", self.other_codes.values()))
        return [*found, *self._unusual_countries(recent)]

    def _has_many_zeros(self) -> bool:
        count, total = self.zeros.count, max(self.total, 1)
        return (count >= MIN_ZEROS and count / total >= ZEROS_SHARE) or (
            count > 1 and count / total > HALF
        )

    def _unusual_countries(self, recent: Mapping[str, int]) -> list[dict[str, Any]]:
        history = sum(recent.values())
        unusual = []
        for country, found in self.countries.items():
            is_minority = self.total >= ENOUGH_ROWS and found.count <= MINORITY * self.total
            is_usual = recent.get(country, 0) > USUAL_SHARE * history
            is_new = history >= ENOUGH_HISTORY and not recent.get(country)
            if is_new or (is_minority and not is_usual):
                values = {
                    **found.values(),
                    "total": self.total,
                    "country": country,
                    "recent": recent.get(country, 0),
                    "history": history,
                }
                unusual.append(warning("country", values, country))
        return sorted(unusual, key=lambda one: one["values"]["count"])[:MAX_COUNTRIES]


def warning(key: str, values: Mapping[str, Any], about: str = "") -> dict[str, Any]:
    """`id` names the warning on the page; it is unique in a batch."""
    return {"id": f"{key}-{about}" if about else key, "key": key, "values": dict(values)}


def recent_countries(rows: list[tuple[int, str]], account: int) -> Counter[str]:
    """Countries of the account's messages among the latest ones of all accounts."""
    return Counter(country for owner, country in rows if owner == account)
