"""Walk along the chain of seals and find what was changed, removed or added.

A seal's hash covers the hash before. So a right signature on the newest seal vouches for all
earlier ones, also for those that were signed with a key that is gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from core.acts import digest_of
from core.models import Act, ActPersonal
from providers import clock

from . import anchors, digests, triggers
from .announcements import is_announced
from .erasure import erased_ids
from .models import ChainCheck, Seal

logger = logging.getLogger(__name__)

SEALS: Final = 200
"""Seals that are read at once."""
MOST_BREAKS: Final = 50
SLICE_SECONDS: Final = 15.0


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


@dataclass(frozen=True, slots=True)
class Break:
    kind: Kind
    seal: int | None = None
    act: int | None = None


@dataclass(slots=True)
class _Walk:
    """What one slice has found."""

    breaks: list[Break] = field(default_factory=list)
    acts: int = 0
    erased: set[int] | None = None

    def note(self, kind: Kind, seal: int | None = None, act: int | None = None) -> None:
        if len(self.breaks) < MOST_BREAKS:
            self.breaks.append(Break(kind, seal, act))

    def was_erased(self, act: int) -> bool:
        if self.erased is None:
            self.erased = erased_ids()
        return act in self.erased


def go_on(check: ChainCheck, seconds: float = SLICE_SECONDS) -> bool:
    """Check further seals for some seconds. Returns whether the walk has ended."""
    until = time.monotonic() + seconds
    while check.ended_at is None and time.monotonic() < until:
        walk = _Walk()
        seals = list(Seal.objects.filter(number__gt=check.reached).order_by("number")[:SEALS])
        reached = check.reached
        if seals:
            _check_seals(walk, check.reached, seals)
            reached = seals[-1].number
        else:
            _check_end(walk)
            check.ended_at = clock.now()
        _save(check, walk, reached)
    if check.ended_at is not None:
        _report(check)
    return check.ended_at is not None


def _save(check: ChainCheck, walk: _Walk, reached: int) -> None:
    former, check.reached = check.reached, reached
    check.acts += walk.acts
    check.breaks = [*check.breaks, *map(asdict, walk.breaks)][:MOST_BREAKS]
    # Another process may go on with the same check. Only one of them keeps a slice.
    ChainCheck.objects.filter(pk=check.pk, reached=former, ended_at=None).update(
        reached=check.reached, acts=check.acts, breaks=check.breaks, ended_at=check.ended_at
    )
    check.refresh_from_db()


def _report(check: ChainCheck) -> None:
    if check.breaks:
        logger.error(
            "The chain of the audit log is broken: %s. See the audit log.",
            ", ".join(sorted({one["kind"] for one in check.breaks})),
        )


def _check_seals(walk: _Walk, reached: int, seals: list[Seal]) -> None:
    before = Seal.objects.filter(number=reached).first()
    acts = _acts_of(seals)
    for seal in seals:
        following = before.number + 1 if before else 1
        for number in range(following, min(seal.number, following + MOST_BREAKS)):
            walk.note(Kind.SEAL_REMOVED, number)
        is_next = seal.number == following
        follows = not is_next or seal.previous == (before.hash if before else "")
        if seal.hash != digests.hash_of(seal) or not follows:
            walk.note(Kind.SEAL_CHANGED, seal.number)
        if digests.is_signed(seal) is False:
            walk.note(Kind.SIGNATURE, seal.number)
        if seal.lost is not None and not is_announced(seal):
            walk.note(Kind.CUT, seal.number)
        _check_acts(walk, seal, acts.get(seal.number, []))
        before = seal


def _acts_of(seals: list[Seal]) -> dict[int, list[tuple[Any, ...]]]:
    between = (seals[0].number, seals[-1].number)
    rows = Act.objects.filter(seal__range=between).order_by("seal", "pk")
    found = rows.values_list("seal", *digests.COLUMNS)
    return {
        number: [row[1:] for row in rows] for number, rows in groupby(found, key=lambda row: row[0])
    }


def _check_acts(walk: _Walk, seal: Seal, rows: list[tuple[Any, ...]]) -> None:
    walk.acts += len(rows)
    if len(rows) < seal.count:
        walk.note(Kind.ACT_REMOVED, seal.number)
    elif len(rows) > seal.count:
        walk.note(Kind.ACT_ADDED, seal.number)
    elif digests.digest_of_acts(rows) != seal.digest:
        walk.note(Kind.ACT_CHANGED, seal.number)
    _check_personal(walk, seal, {row[0]: row[-1] for row in rows})


def _check_personal(walk: _Walk, seal: Seal, expected: dict[int, str]) -> None:
    found = {
        act: digest_of(text, salt)
        for act, text, salt in ActPersonal.objects.filter(act__seal=seal.number).values_list(
            "act_id", "text", "salt"
        )
    }
    for act, digest in expected.items():
        if act in found and found[act] != digest:
            walk.note(Kind.PERSONAL_CHANGED, seal.number, act)
        elif digest and act not in found and not walk.was_erased(act):
            walk.note(Kind.PERSONAL_REMOVED, seal.number, act)


def _check_end(walk: _Walk) -> None:
    newest = Seal.objects.order_by("-number").first()
    if newest is not None and digests.is_signed(newest) is None:
        walk.note(Kind.SIGNATURE, newest.number)
    beyond = Act.objects.filter(seal__gt=newest.number if newest else 0)
    for act in beyond.order_by("seal", "pk").values_list("pk", flat=True)[:MOST_BREAKS]:
        walk.note(Kind.ACT_ADDED, None, act)
    lost = anchors.missing_anchor()
    if lost is not None:
        walk.note(Kind.CUT, lost.number)
    if triggers.missing_triggers():
        walk.note(Kind.UNGUARDED)


def breaks_of(check: ChainCheck) -> Iterator[Break]:
    for one in check.breaks:
        yield Break(Kind(one["kind"]), one["seal"], one["act"])
