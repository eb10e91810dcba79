"""Decide what becomes of what is on hold, and end the hold once nothing is left to decide.

Lock order: the fence, then the hold, then the rows. Decisions leave out the fence, which every
claim of the engine needs. Ending takes it, because a new cause may extend an open hold at the
same time: its rows would otherwise join a hold that has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from core.acts import record_act

from .. import clock
from ..models import Fence, Hold
from .holdable import HeldGroup, Holdable, holdables

RELEASED: Final = "hold.release"
DISCARDED: Final = "hold.discard"
ENDED: Final = "hold.end"
BEGUN: Final = "hold.begin"
EXTENDED: Final = "hold.extend"


class Refused(Exception):
    """Nothing was decided."""


class HoldEnded(Refused):
    """The hold has ended: nothing is left to decide."""


class UnknownGroup(Refused):
    """The hold keeps no such group."""


class CannotSend(Refused):
    """Sending the group makes no sense any more."""


class MoreWaits(Refused):
    """More rows wait in the group than the person was shown."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`rows`: None for the whole group. `shown`: how many rows the person saw; None: any number."""

    group: str
    send: bool
    rows: Collection[int] | None = None
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was carried out, on how many rows, and how many of its rows still wait."""

    group: HeldGroup
    send: bool
    count: int
    left: int = 0


def open_hold() -> Hold | None:
    return Hold.objects.filter(ended_at=None).first()


def subject_of(hold: Hold) -> str:
    """The subject of the acts on this hold."""
    return f"hold:{hold.pk}"


def held_groups(hold: Hold) -> list[HeldGroup]:
    """All groups, those with the most undecided rows first."""
    groups = [group for holdable in holdables() for group in holdable.groups(hold)]
    return sorted(groups, key=lambda group: -group.undecided)


def find_group(hold: Hold, key: str) -> tuple[Holdable, HeldGroup]:
    """Raises `UnknownGroup`."""
    for holdable in holdables():
        for group in holdable.groups(hold):
            if group.key == key:
                return holdable, group
    raise UnknownGroup(key)


def count_undecided(hold: Hold) -> int:
    return sum(holdable.count_undecided(hold) for holdable in holdables())


def decide(
    hold: Hold, decisions: Iterable[Decision], *, by: User | None, reason: str
) -> list[Decided]:
    """Carry out all decisions and record each, or none. Then end the hold if nothing is left.

    Raises a `Refused`. If others were faster, a group that still has a line counts 0 rows, and
    one that has none any longer is an `UnknownGroup`.
    """
    with transaction.atomic():
        held = _lock(hold)
        done = [_carry_out(held, decision, by, reason) for decision in decisions]
    end_if_decided(hold, by=by)
    return done


def settle_known(hold: Hold) -> int:
    """Settle what has become known since, and end the hold if nothing is left.

    Returns the number of rows.
    """
    with transaction.atomic():
        held = _lock(hold)
        settled = sum(holdable.settle_known(held) for holdable in holdables())
    end_if_decided(hold, by=None)
    return settled


@transaction.atomic
def end_if_decided(hold: Hold, *, by: User | None) -> bool:
    """End the hold unless a row still waits for a decision. Returns whether it did."""
    list(Fence.objects.select_for_update().filter(pk=Fence.SINGLETON))
    try:
        held = _lock(hold)
    except HoldEnded:
        return False
    if count_undecided(held):
        return False
    held.ended_at = clock.now()
    held.save(update_fields=["ended_at"])
    record_act(ENDED, by=by, subject=subject_of(held))
    return True


def _lock(hold: Hold) -> Hold:
    # Rows that join a hold need no exclusive lock on it, and must not wait for a decision.
    open_holds = Hold.objects.select_for_update(no_key=True).filter(ended_at=None)
    held = open_holds.filter(pk=hold.pk).first()
    if held is None:
        raise HoldEnded
    return held


def _carry_out(hold: Hold, decision: Decision, by: User | None, reason: str) -> Decided:
    holdable, group = find_group(hold, decision.group)
    if decision.send and not group.may_send:
        raise CannotSend(group.key)
    if decision.send:
        count = holdable.release(hold, group.key, decision.rows, by)
    else:
        count = holdable.discard(hold, group.key, decision.rows, by, reason)
    if decision.shown is not None and count > decision.shown:
        # Asked only now, since rows may join the hold at any moment. All of it is rolled back.
        raise MoreWaits(group.key)
    if count:
        record_act(
            RELEASED if decision.send else DISCARDED,
            by=by,
            subject=subject_of(hold),
            reason=reason,
            group=group.key,
            title=group.stored_title,
            count=count,
            of=group.undecided,
        )
    asked = group.undecided if decision.rows is None else len(decision.rows)
    return Decided(group, decision.send, count, max(0, asked - count))
