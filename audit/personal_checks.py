"""Check what is personal in acts against the digests that the acts hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from core.acts import digest_of
from core.models import ActPersonal

from . import digests
from .addresses import DIGEST, forgotten_before
from .breaks import Kind
from .erasure import erased_ids
from .models import ActAddress

_AT: Final = digests.COLUMNS.index("at")
_DETAILS: Final = digests.COLUMNS.index("details")
_PERSONAL: Final = digests.COLUMNS.index("personal_digest")
Found = tuple[Kind, int, str]
"""What was found, the act, and a digest of what it has now."""


class Excuses:
    """Why something personal may be gone. Read once for a slice of a check."""

    @cached_property
    def _erased(self) -> set[int]:
        return erased_ids()

    @cached_property
    def _forgotten(self) -> datetime | None:
        return forgotten_before()

    def is_erased(self, act: int) -> bool:
        return act in self._erased

    def is_forgotten(self, act: int, at: datetime) -> bool:
        return self.is_erased(act) or (self._forgotten is not None and at < self._forgotten)


@dataclass(frozen=True, slots=True)
class _Expected:
    act: int
    at: datetime
    words: str
    address: str


def personal_breaks(seal: int, rows: list[tuple[Any, ...]], excuses: Excuses) -> Iterator[Found]:
    """What is wrong with the acts below a seal. `rows`: their values of `digests.COLUMNS`."""
    expected = [
        _Expected(row[0], row[_AT], row[_PERSONAL], str(row[_DETAILS].get(DIGEST, "")))
        for row in rows
    ]
    yield from _check_words(seal, expected, excuses)
    yield from _check_addresses(seal, expected, excuses)


def _check_words(seal: int, acts: list[_Expected], excuses: Excuses) -> Iterator[Found]:
    parts = ActPersonal.objects.filter(act__seal=seal).values_list("act_id", "text", "salt")
    found = {act: _digest(text, salt) for act, text, salt in parts}
    for one in acts:
        known = found.get(one.act)
        if known is not None and known != one.words:
            yield Kind.PERSONAL_CHANGED, one.act, known
        elif one.words and known is None and not excuses.is_erased(one.act):
            yield Kind.PERSONAL_REMOVED, one.act, "words"


def _check_addresses(seal: int, acts: list[_Expected], excuses: Excuses) -> Iterator[Found]:
    parts = ActAddress.objects.filter(act__seal=seal).values_list("act_id", "address", "salt")
    found = {act: _digest(address, salt) for act, address, salt in parts if address or salt}
    for one in acts:
        known = found.get(one.act)
        if known is not None and known != one.address:
            yield Kind.PERSONAL_CHANGED, one.act, known
        elif one.address and known is None and not excuses.is_forgotten(one.act, one.at):
            yield Kind.PERSONAL_REMOVED, one.act, "address"


def _digest(text: str, salt: str) -> str:
    try:
        return digest_of(text, salt)
    except ValueError:
        return "no salt"
