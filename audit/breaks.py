"""What a check of the chain may find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .models import ChainCheck


class Kind(StrEnum):
    """What was found."""

    ACT_CHANGED = "act_changed"
    ACT_REMOVED = "act_removed"
    ACT_ADDED = "act_added"
    PERSONAL_CHANGED = "personal_changed"
    PERSONAL_REMOVED = "personal_removed"
    SEAL_CHANGED = "seal_changed"
    SEAL_REMOVED = "seal_removed"
    SIGNATURE = "signature"
    CUT = "cut"
    """The newest seals, which a host remembers, are gone."""
    UNGUARDED = "unguarded"
    """The database would accept changes: triggers are missing."""


MENDABLE: Final = frozenset({Kind.UNGUARDED})
"""Nobody accepts these, since they end once they are mended."""


@dataclass(frozen=True, slots=True)
class Break:
    kind: Kind
    seal: int | None = None
    act: int | None = None
    found: str = ""
    """A digest of what was found instead."""

    @property
    def key(self) -> str:
        """The same for the same break, in every check. 32 hexadecimal digits."""
        values = json.dumps([self.kind, self.seal, self.act, self.found])
        return hashlib.sha256(values.encode()).hexdigest()[:32]

    @property
    def may_be_accepted(self) -> bool:
        return self.kind not in MENDABLE


def breaks_of(check: ChainCheck) -> Iterator[Break]:
    for one in check.breaks:
        yield Break(Kind(one["kind"]), one["seal"], one["act"], one.get("found", ""))
