"""Which process is killed, and when: chosen by a seed, so that a storm can be had again."""

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
"""Part of the kills that follow the one before soon, whatever is going on then: while
another loop takes over, or while a cluster starts."""
SOON = 8.0
"""Seconds."""
JITTER = 0.1
"""Seconds; a round of the engine is far shorter, so any moment of it may be hit."""


@dataclass(frozen=True)
class Planned:
    kind: str
    at_count: int
    """When so many messages have left the queue, and `delay` seconds later."""
    delay: float


@dataclass(frozen=True)
class Kill:
    """One that happened. `at` is seconds since 1970."""

    kind: str
    host: str
    at: float


def plan(chance: random.Random, kills: int, messages: int) -> list[Planned]:
    planned = []
    for index in range(kills):
        hasty = index > 0 and chance.random() < HASTY
        planned.append(
            Planned(
                kind=chance.choices(list(KINDS), list(KINDS.values()))[0],
                at_count=0 if hasty else int(messages * (index + chance.random()) / kills),
                delay=chance.uniform(0, SOON if hasty else JITTER),
            )
        )
    return planned


def strike(chance: random.Random, kind: str, hosts: Sequence[Host]) -> Kill | None:
    """Kill what is asked for, wherever it is found; None where there is none just now."""
    for host in chance.sample(list(hosts), len(hosts)):
        if kind == "cluster":
            target = host.main
        elif kind in ("main", "sentinel"):
            target = host.main if kind == "main" else host.sentinel
        else:
            found = host.below_sentinel(calling=kind == "loop")
            target = chance.choice(found).pid if found else None
        if target is not None and _kill(target, whole_group=kind == "cluster"):
            return Kill(kind, host.name, time.time())
    return None


def _kill(pid: int, *, whole_group: bool) -> bool:
    try:
        (os.killpg if whole_group else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    while is_running(pid):
        time.sleep(0.01)
    return True
