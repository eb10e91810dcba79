"""An even share of the accounts for each loop, and hosts as even as their loops allow.

Every loop computes all shares from the same rows, so no loop has to direct the others. For a
while after a loop joined or left, two loops may see different rows. A lease is then free a little
longer, but never held twice: it is taken with a conditional UPDATE.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True, slots=True)
class LeaseState:
    """One lease as read, with spans in seconds."""

    account_id: int
    holder: str
    is_free: bool
    expires_in: float = 0.0
    free_for: float = 0.0
    """For how long certainly no loop has held it."""


def compute_shares(
    loops: Mapping[str, str], held: Mapping[str, int], accounts: int
) -> dict[str, int]:
    """The number of accounts for each loop, given its host and how many it holds now."""
    least, left_over = divmod(accounts, len(loops))
    order = _alternate_hosts(loops, {loop: held[loop] - least for loop in loops})
    return {loop: least + (place < left_over) for place, loop in enumerate(order)}


def _alternate_hosts(loops: Mapping[str, str], excess: Mapping[str, int]) -> list[str]:
    """The loops, one of each host in turn. Who holds more than an even division gives comes first,
    so that the accounts left over after it stay where they are."""
    by_host: dict[str, list[str]] = defaultdict(list)
    for loop, host in loops.items():
        by_host[host].append(loop)
    above = {host: sum(max(0, excess[one]) for one in its) for host, its in by_host.items()}
    hosts = sorted(by_host, key=lambda host: (-above[host], host))
    columns = [sorted(by_host[host], key=lambda loop: (-excess[loop], loop)) for host in hosts]
    return [loop for row in zip_longest(*columns) for loop in row if loop is not None]


@dataclass(frozen=True, slots=True)
class Share:
    """What one loop should do about its leases."""

    to_take: list[int]
    """Free accounts in the order in which this loop should try them."""
    wanted: int
    """How many of them it lacks."""
    surplus: int
    """How many accounts it holds beyond its share."""


def share_of(loop: str, loops: Mapping[str, str], leases: Sequence[LeaseState]) -> Share:
    """The share of one loop. `loops` maps each loop that shares to its host.

    Leases of others, such as loops of an older version or loops that stop, are left alone.
    """
    held: Counter[str] = Counter(one.holder for one in leases if not one.is_free)
    free = [one.account_id for one in leases if one.is_free]
    shared = len(free) + sum(held[one] for one in loops)
    lacking = compute_shares(loops, held, shared)[loop] - held[loop]
    # Each loop begins at another place, so that two of them seldom want the same lease.
    begin = sorted(loops).index(loop) * len(free) // len(loops)
    return Share(free[begin:] + free[:begin], max(0, lacking), max(0, -lacking))
