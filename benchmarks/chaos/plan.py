"""Which process is killed, and when: chosen by a seed, so that a run can be repeated.

A seed repeats every choice; the moments still depend on the machine.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..clusters import Host, is_running

KINDS = {
    "loop": 8,  # one that makes calls
    "other": 3,  # an idle worker, a loop that stands by, the pusher, the monitor
    "sentinel": 2,
    "main": 2,
    "cluster": 5,  # all of it at once
}
"""With how often each is chosen."""
HASTY = 0.2
"""Share of the kills that follow the one before soon, whatever is going on then: while
another loop takes over, or while a cluster starts."""
SOON = 8.0
"""Seconds."""
JITTER = 0.1
"""Seconds; a round of the engine is far shorter, so any moment of it may be hit."""


@dataclass(frozen=True)
class Planned:
    kind: str
    host: float
    """From 0 to 1: where in the list of hosts the search for such a process begins."""
    victim: float
    """From 0 to 1: which of several such processes."""
    hasty: bool
    delay: float
    """Seconds: after the kill before if hasty, else after calls of every kind are under way."""


@dataclass(frozen=True)
class Kill:
    """One that happened. `at` is seconds since 1970."""

    kind: str
    host: str
    at: float


def plan(chance: random.Random, kills: int) -> list[Planned]:
    planned = []
    for index in range(kills):
        hasty = index > 0 and chance.random() < HASTY
        planned.append(
            Planned(
                kind=chance.choices(list(KINDS), list(KINDS.values()))[0],
                host=chance.random(),
                victim=chance.random(),
                hasty=hasty,
                delay=chance.uniform(0, SOON if hasty else JITTER),
            )
        )
    return planned


def strike(planned: Planned, kind: str, hosts: Sequence[Host]) -> Kill | None:
    """Kill one process of this kind, on whichever host has one; None if there is none now."""
    first = int(planned.host * len(hosts))
    for host in [*hosts[first:], *hosts[:first]]:
        target = _victim(planned, kind, host)
        if target is not None and _kill(target, whole_group=kind == "cluster"):
            return Kill(kind, host.name, time.time())
    return None


def _victim(planned: Planned, kind: str, host: Host) -> int | None:
    if kind in ("main", "cluster"):
        return host.main
    if kind == "sentinel":
        return host.sentinel
    found = host.below_sentinel(calling=kind == "loop")
    return found[int(planned.victim * len(found))].pid if found else None


def _kill(pid: int, *, whole_group: bool) -> bool:
    try:
        (os.killpg if whole_group else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    while is_running(pid):
        time.sleep(0.01)
    return True
