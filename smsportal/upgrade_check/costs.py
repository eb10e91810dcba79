"""What one SQL statement of a migration costs: time, space, and what has to wait for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Wait(StrEnum):
    """What has to wait while a statement runs, from the mildest on."""

    NOTHING = "nothing waits"
    WRITES = "writes to it wait"
    EVERYTHING = "all who use it wait"


@dataclass(frozen=True, slots=True)
class Size:
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    what: str
    table: str = ""
    seconds: float = 0.0
    space: int = 0
    wait: Wait = Wait.NOTHING


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds for each row, on two cores and an ordinary disk; the handbook names them, too."""

    index: float = 1.2e-6
    scan: float = 0.4e-6
    rewrite: float = 10e-6
    python: float = 50e-6
    index_bytes: int = 48
    """Space of an index for each row."""


RATES: Final = Rates()
TABLE: Final = r'(?:ONLY )?"?(?P<table>\w+)"?'
INDEX: Final = re.compile(
    rf'CREATE (?:UNIQUE )?INDEX (?P<calm>CONCURRENTLY )?(?:IF NOT EXISTS )?"?\w+"? ON {TABLE}'
)
REMADE: Final = re.compile(r'CREATE TABLE "new__(?P<table>\w+)"')
ALTERED: Final = re.compile(rf"ALTER TABLE {TABLE} (?P<rest>.+)", re.DOTALL)
WRITTEN: Final = re.compile(rf'(?:UPDATE|DELETE FROM|INSERT INTO) {TABLE}(?!\w)(?!" \(.*new__)')
REWRITES: Final = re.compile(r"ALTER COLUMN \"?\w+\"? TYPE |GENERATED ALWAYS AS|DEFAULT \w+\(")
CHECKED: Final = re.compile(r"ADD CONSTRAINT .*(?:FOREIGN KEY|CHECK)|SET NOT NULL|REFERENCES ")
MADE_UNIQUE: Final = re.compile(r"ADD CONSTRAINT .*(?:UNIQUE|PRIMARY KEY|EXCLUDE)| UNIQUE")

Sizes = Callable[[str], Size]


def cost_of(statement: str, size_of: Sizes, sqlite: bool) -> Cost | None:
    """None for what is over at once, whatever the number of rows.

    `size_of` knows the tables that exist; new ones are empty.
    """
    if found := INDEX.match(statement):
        return _of_index(found.groupdict(), size_of)
    if found := REMADE.match(statement):
        return _copied(found["table"], size_of, "is copied")
    if sqlite and (statement.startswith('INSERT INTO "new__') or "RENAME TO" in statement):
        return None
    if found := ALTERED.match(statement):
        return None if sqlite else _of_alteration(found["table"], found["rest"], size_of)
    if found := WRITTEN.match(statement):
        return _copied(found["table"], size_of, "may be rewritten", Wait.WRITES)
    return None


def _of_index(found: Mapping[str, str | None], size_of: Sizes) -> Cost | None:
    table = str(found["table"]).removeprefix("new__")
    size = size_of(table)
    wait = Wait.NOTHING if found.get("calm") else Wait.WRITES
    seconds, space = RATES.index * size.rows, RATES.index_bytes * size.rows
    return Cost("gets an index", table, seconds, space, wait) if size.rows else None


def _of_alteration(table: str, rest: str, size_of: Sizes) -> Cost | None:
    size = size_of(table)
    if not size.rows:
        return None
    if REWRITES.search(rest):
        return _copied(table, size_of, "is rewritten")
    if MADE_UNIQUE.search(rest):
        seconds, space = RATES.index * size.rows, RATES.index_bytes * size.rows
        return Cost("gets a unique index", table, seconds, space, Wait.EVERYTHING)
    if CHECKED.search(rest):
        return Cost("is read through", table, RATES.scan * size.rows, 0, Wait.EVERYTHING)
    return None


def _copied(table: str, size_of: Sizes, what: str, wait: Wait = Wait.EVERYTHING) -> Cost | None:
    size = size_of(table)
    if not size.rows:
        return None
    return Cost(what, table, RATES.rewrite * size.rows, size.bytes, wait)
