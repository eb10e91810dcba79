"""What an erasure found in each table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.personal_data import Place, places

from ..models import Erasure
from ..states import ErasureState


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One table. `again` is None until it was searched again."""

    title: str
    erased: int
    left: int
    again: int | None
    kept: int = 0
    """Rows about the number that stay on purpose."""


def proof_of(erasure: Erasure) -> list[ProofLine]:
    """All tables: the ones with the number first."""
    known = places()
    done = _searched(erasure, known)
    lines = [
        ProofLine(
            str(place.title),
            counts.get("erased", 0),
            counts.get("left", 0),
            counts.get("again", 0) if place.key in done else None,
            counts.get("kept", 0),
        )
        for place in known
        for counts in [erasure.found.get(place.key, {})]
    ]
    return sorted(lines, key=lambda line: -(line.erased + line.left + line.kept))


def percent_of(erasure: Erasure) -> int:
    """How far the job is. Each table counts the same in both passes."""
    if erasure.state == ErasureState.DONE:
        return 100
    known = [place.key for place in places()]
    at = known.index(erasure.place) if erasure.place in known else len(known)
    at = at if erasure.place else 0
    return min(99, 50 * at // len(known) + (50 if erasure.is_search else 0))


def _searched(erasure: Erasure, known: Sequence[Place]) -> set[str]:
    keys = [place.key for place in known]
    if erasure.state == ErasureState.DONE:
        return set(keys)
    if not erasure.is_search or not erasure.place:
        return set()
    return set(keys[: keys.index(erasure.place)] if erasure.place in keys else keys)
