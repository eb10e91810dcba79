"""Assign each call of unknown outcome to a kill, and find kills that left too many."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from .calls import CALL_KINDS
from .fault_injection import Chaos


class Unknowns:
    """The calls of unknown outcome.

    A kill may leave twice the account's calls in flight: those being made, and as many again
    that were marked in flight and waited for a thread.
    """

    def __init__(self, chaos: Chaos) -> None:
        self._accounts = {account.pk: account for account in chaos.accounts}
        self.kills = sorted([*chaos.kills, *chaos.endings], key=lambda kill: kill.at)
        self.by_kill: Counter[tuple[int, int]] = Counter()
        """Index of the kill and account to the number of calls left unknown."""
        self.by_kind: Counter[str] = Counter()
        self.without_a_kill: list[str] = []
        times = [kill.at for kill in self.kills]
        for kind in CALL_KINDS:
            for pk, account, at in kind.calls_in_doubt(lost_only=True):
                self.by_kind[kind.name] += 1
                index = bisect_left(times, chaos.marked_at.get((kind.name, pk), at))
                if index == len(times):
                    self.without_a_kill.append(f"{kind.name} {pk} is unknown without a kill")
                else:
                    self.by_kill[index, account] += 1

    def allowed(self, account: int) -> int:
        return 2 * self._accounts[account].in_flight

    def problems(self) -> list[str]:
        found = list(self.without_a_kill)
        for (index, account), number in self.by_kill.items():
            if number > self.allowed(account):
                description = f"a kill ({self.kills[index].kind}) left {number} calls unknown"
                name = self._accounts[account].name
                found.append(f"{description} at {name}, where {self.allowed(account)} are allowed")
        return found

    def allowed_at_once(self) -> int:
        return sum(map(self.allowed, self._accounts))

    def most_at_once(self) -> int:
        return max(self._of_each_kill(), default=0)

    def by_kind_of_kill(self) -> dict[str, tuple[int, int, int]]:
        """By kind of kill: its number, the calls left unknown, and the most of one kill."""
        numbers = self._of_each_kill()
        found = {}
        for kind, times in Counter(kill.kind for kill in self.kills).most_common():
            own = [numbers[index] for index, kill in enumerate(self.kills) if kill.kind == kind]
            found[kind] = times, sum(own), max(own)
        return found

    def _of_each_kill(self) -> list[int]:
        sums = [0] * len(self.kills)
        for (index, _), number in self.by_kill.items():
            sums[index] += number
        return sums
