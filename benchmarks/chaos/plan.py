"""The plan of kills: which process, and when.

A seed repeats every choice. The exact times still depend on the machine.
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
    "loop": 8,  # a loop that makes calls
    "other": 3,  # an idle worker, a standby loop, the pusher, the monitor
    "sentinel": 2,
    "main": 2,
    "cluster": 5,  # all its processes at once
}
"""The kinds of kill and their weights."""
HASTY = 0.2
"""Share of the kills that follow the previous one soon, without waiting for calls.

They may hit a take-over by another loop or the start of a cluster.
"""
SOON = 8.0
"""The longest delay of a hasty kill, in seconds."""
JITTER = 0.1
"""Seconds. A round of the engine is far shorter, so a kill may hit any moment of it."""


@dataclass(frozen=True)
class Planned:
    kind: str
    host: float
    """From 0 to 1: where in the list of hosts the search for a process begins."""
    victim: float
    """From 0 to 1: which of several matching processes."""
    hasty: bool
    delay: float
    """Seconds: after the previous kill if hasty, else after calls of every kind are in flight."""


@dataclass(frozen=True)
class Kill:
    """One executed kill. `at` is in seconds since 1970."""

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
    """Kill one process of this kind on any host. Returns None if there is none now."""
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
