"""Walk along the chain of seals and find what was changed, removed or added.

A seal's hash covers the hash before. So a right signature on the newest seal vouches for all
earlier ones, also for those that were signed with a key that is gone.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, Final

from core.models import Act
from providers import clock

from . import anchors, digests, triggers
from .accepted import accepted_keys
from .announcements import is_announced
from .breaks import Break, Kind, breaks_of
from .models import ChainCheck, Seal
from .personal_checks import Excuses, personal_breaks

logger = logging.getLogger(__name__)

SEALS: Final = 200
"""Seals that are read at once."""
MOST_BREAKS: Final = 50
SLICE_SECONDS: Final = 15.0


@dataclass(slots=True)
class _Walk:
    """What one slice has found."""

    accepted_before: set[str]
    breaks: list[Break] = field(default_factory=list)
    accepted: list[Break] = field(default_factory=list)
    acts: int = 0
    excuses: Excuses = field(default_factory=Excuses)

    @property
    def is_full(self) -> bool:
        return len(self.breaks) >= MOST_BREAKS

    def note(
        self, kind: Kind, seal: int | None = None, act: int | None = None, found: str = ""
    ) -> None:
        one = Break(kind, seal, act, found)
        # What was accepted must not take the place of what is new.
        noted = self.accepted if one.key in self.accepted_before else self.breaks
        if len(noted) < MOST_BREAKS:
            noted.append(one)


def go_on(check: ChainCheck, seconds: float = SLICE_SECONDS) -> bool:
    """Check further seals for some seconds. Returns whether the walk has ended."""
    until = time.monotonic() + seconds
    while check.ended_at is None and time.monotonic() < until:
        walk = _Walk(accepted_keys())
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
    known = list(breaks_of(check))
    accepted = [one for one in known if one.key in walk.accepted_before]
    broken = [one for one in known if one.key not in walk.accepted_before]
    kept = [*broken, *walk.breaks][:MOST_BREAKS] + [*accepted, *walk.accepted][:MOST_BREAKS]
    check.breaks = [asdict(one) for one in kept]
    # Another process may go on with the same check. Only one of them keeps a slice.
    ChainCheck.objects.filter(pk=check.pk, reached=former, ended_at=None).update(
        reached=check.reached, acts=check.acts, breaks=check.breaks, ended_at=check.ended_at
    )
    check.refresh_from_db()


def _report(check: ChainCheck) -> None:
    if found := open_breaks(check):
        logger.error(
            "The chain of the audit log is broken: %s. See the audit log.",
            ", ".join(sorted({str(one.kind) for one in found})),
        )


def open_breaks(check: ChainCheck) -> list[Break]:
    """What the check found and nobody has accepted."""
    if not check.breaks:
        return []
    accepted = accepted_keys()
    return [one for one in breaks_of(check) if one.key not in accepted]


def _check_seals(walk: _Walk, reached: int, seals: list[Seal]) -> None:
    before = Seal.objects.filter(number=reached).first()
    acts = _acts_of(seals)
    for seal in seals:
        following = before.number + 1 if before else 1
        for number in range(following, seal.number):
            if walk.is_full:
                break
            walk.note(Kind.SEAL_REMOVED, number)
        is_next = seal.number == following
        follows = not is_next or seal.previous == (before.hash if before else "")
        computed = digests.hash_of(seal)
        if seal.hash != computed or not follows:
            walk.note(Kind.SEAL_CHANGED, seal.number, found=f"{computed}{seal.hash}")
        if digests.is_signed(seal) is False:
            walk.note(Kind.SIGNATURE, seal.number, found=f"{seal.hash}{seal.mac}")
        if seal.lost is not None and not is_announced(seal):
            walk.note(Kind.CUT, seal.lost["number"], found=seal.lost["hash"])
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
    found = digests.digest_of_acts(rows)
    if len(rows) < seal.count:
        walk.note(Kind.ACT_REMOVED, seal.number, found=found)
    elif len(rows) > seal.count:
        walk.note(Kind.ACT_ADDED, seal.number, found=found)
    elif found != seal.digest:
        walk.note(Kind.ACT_CHANGED, seal.number, found=found)
    for kind, act, what in personal_breaks(seal.number, rows, walk.excuses):
        walk.note(kind, seal.number, act, what)


def _check_end(walk: _Walk) -> None:
    newest = Seal.objects.order_by("-number").first()
    if newest is not None and digests.is_signed(newest) is None:
        walk.note(Kind.SIGNATURE, newest.number, found=f"{newest.hash}{newest.mac}")
    beyond = Act.objects.filter(seal__gt=newest.number if newest else 0)
    for row in beyond.order_by("seal", "pk").values_list(*digests.COLUMNS)[: 2 * MOST_BREAKS]:
        walk.note(Kind.ACT_ADDED, None, row[0], digests.digest_of_acts([row]))
    lost = anchors.missing_anchor()
    if lost is not None:
        walk.note(Kind.CUT, lost.number, found=lost.hash)
    if triggers.missing_triggers():
        walk.note(Kind.UNGUARDED)
