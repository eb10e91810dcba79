"""The faults that strike hosts and the database, and the plan of them that a seed repeats."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count

from .portal_host import KILLABLE
from .stores import PostgreSQLStore, SQLiteStore, filled
from .world import World

GAP = (4.0, 16.0)
"""Seconds between two faults."""
KILL_MEANWHILE = 0.3
"""Share of the other faults during which a process is killed as well."""
CLOCK_STEPS = (-3600, -600, -30, 30, 600, 3600)
FREEZE = (20.0, 90.0)
"""Seconds for which a process is stopped, longer than a lease."""
FROZEN = (
    *("engine loop", "engine loop", "queue worker", "web worker"),
    *("engine monitor", "engine sentinel", "queue sentinel", "vitals", "supervisor"),
    "fork server",
)
LOOP_WEIGHT = 4
"""How much more often a loop is killed than a process of another kind."""


@dataclass(frozen=True)
class Fault:
    name: str
    weight: int
    strike: Callable[[World, random.Random], str]
    """Strikes, waits for the end, and reports what it did."""
    missing: Callable[[World], str] = lambda world: ""
    """Why it cannot strike here; empty if it can."""


NOTHING = Fault("nothing", 1, lambda world, chance: "nothing")


@dataclass(frozen=True)
class Planned:
    fault: Fault
    gap: float
    seed: str


def plan(seed: int, faults: list[Fault]) -> Iterator[Planned]:
    chance = random.Random(f"faults {seed}")
    faults = faults or [NOTHING]
    for index in count():
        fault = chance.choices(faults, [fault.weight for fault in faults])[0]
        yield Planned(fault, chance.uniform(*GAP), f"{seed} {index}")


# --- processes ---------------------------------------------------------------------------


def kill(world: World, chance: random.Random) -> str:
    """Kill a process of the kind that was killed least often."""
    hosts = list(world.hosts)
    chance.shuffle(hosts)
    for kind in sorted(KILLABLE, key=lambda kind: (_times_killed(world, kind), chance.random())):
        for host in hosts:
            if host.signal_one(kind, chance, signal.SIGKILL) is not None:
                world.kills[kind] += 1
                return f"kill {kind} on {host.name}"
    return "kill: no process there"


def _times_killed(world: World, kind: str) -> int:
    return world.kills[kind] // (LOOP_WEIGHT if kind == "engine loop" else 1)


def kill_host(world: World, chance: random.Random) -> str:
    host = chance.choice(list(world.hosts))
    host.kill()
    return f"kill all of {host.name}"


def restart_host(world: World, chance: random.Random) -> str:
    host = chance.choice(list(world.hosts))
    late = world.stop([host])
    world.run_for(chance.uniform(0, 5))
    host.start()
    return f"restart {host.name}{', killed since it did not stop' if late else ''}"


def freeze(world: World, chance: random.Random) -> str:
    """Stop a process for longer than its lease, and then let it continue."""
    host = chance.choice(list(world.hosts))
    kind = chance.choice(FROZEN)
    pid = host.signal_one(kind, chance, signal.SIGSTOP)
    if pid is None:
        return f"freeze {kind}: none there"
    seconds = chance.uniform(*FREEZE)
    try:
        world.run_for(seconds)
    finally:
        host.signal_pid(pid, signal.SIGCONT)
    return f"freeze {kind} on {host.name} for {seconds:.0f} s"


# --- database ----------------------------------------------------------------------------


def _during(
    world: World, chance: random.Random, block: AbstractContextManager[object], seconds: float
) -> str:
    """Run while the block holds. Returns what else happened meanwhile."""
    killed = ""
    with block:
        world.run_for(seconds / 2)
        if chance.random() < KILL_MEANWHILE:
            killed = f", and {kill(world, chance)}"
        world.run_for(seconds / 2)
    return killed


def stop_database(world: World, chance: random.Random) -> str:
    store = _postgresql(world)
    how = chance.choice((signal.SIGINT, signal.SIGQUIT))
    seconds = chance.uniform(0.5, 20)
    killed = _during(world, chance, store.away(how), seconds)
    word = "fast" if how is signal.SIGINT else "immediate"
    return f"database stopped ({word}) for {seconds:.0f} s{killed}"


def read_only(world: World, chance: random.Random) -> str:
    seconds = chance.uniform(3, 20)
    killed = _during(world, chance, _postgresql(world).read_only(), seconds)
    return f"database read-only for {seconds:.0f} s{killed}"


def no_connections(world: World, chance: random.Random) -> str:
    seconds = chance.uniform(3, 15)
    # Open connections would otherwise continue as if nothing had happened.
    block = _postgresql(world).exhausted(cut=chance.random() < 0.5)
    killed = _during(world, chance, block, seconds)
    return f"no free connections for {seconds:.0f} s{killed}"


def lock_database(world: World, chance: random.Random) -> str:
    assert isinstance(world.store, SQLiteStore)
    # Above the 20 s that a connection waits, and below.
    seconds = chance.choice((chance.uniform(3, 15), chance.uniform(22, 35)))
    killed = _during(world, chance, world.store.locked(), seconds)
    return f"database locked for {seconds:.0f} s{killed}"


def fill_disk(world: World, chance: random.Random) -> str:
    seconds = chance.uniform(3, 15)
    killed = _during(world, chance, filled(world.store.folder), seconds)
    if isinstance(world.store, PostgreSQLStore):
        world.store.keep_running()
    return f"disk full for {seconds:.0f} s{killed}"


# --- clock -------------------------------------------------------------------------------


def step_clock(world: World, chance: random.Random) -> str:
    """Move one host's clock, and back again."""
    host = chance.choice(list(world.hosts))
    step, seconds = chance.choice(CLOCK_STEPS), chance.uniform(10, 40)
    host.step_clock(step)
    world.run_for(seconds)
    host.step_clock(0)
    return f"clock of {host.name} {step:+d} s for {seconds:.0f} s"


def _postgresql(world: World) -> PostgreSQLStore:
    assert isinstance(world.store, PostgreSQLStore)
    return world.store


def _needs_postgresql(world: World) -> str:
    return "" if isinstance(world.store, PostgreSQLStore) else "SQLite has no server"


def _needs_sqlite(world: World) -> str:
    return "" if isinstance(world.store, SQLiteStore) else "PostgreSQL has no such lock"


def _needs_small_disk(world: World) -> str:
    return "" if world.has_small_disk else "only root can mount a small file system"


def _needs_clock(world: World) -> str:
    return "" if world.clock_library else "no C compiler was found"


FAULTS = (
    Fault("kill", 20, kill),
    Fault("host", 3, kill_host),
    Fault("restart", 3, restart_host),
    Fault("freeze", 2, freeze),
    Fault("database", 6, stop_database, _needs_postgresql),
    Fault("readonly", 4, read_only, _needs_postgresql),
    Fault("connections", 3, no_connections, _needs_postgresql),
    Fault("locked", 5, lock_database, _needs_sqlite),
    Fault("disk", 4, fill_disk, _needs_small_disk),
    Fault("clock", 4, step_clock, _needs_clock),
)
