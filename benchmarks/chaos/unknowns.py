"""Whether each call of unknown outcome belongs to a kill, and no kill left too many."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from .calls import CALL_KINDS
from .fault_injection import Chaos


class Unknowns:
    """At most twice the calls in flight for each kill and account: those under way, and as
    many again that were marked as handed over and waited for a thread."""

    def __init__(self, chaos: Chaos) -> None:
        self._accounts = {account.pk: account for account in chaos.accounts}
        self.kills = sorted([*chaos.kills, *chaos.endings], key=lambda kill: kill.at)
        self.by_kill: Counter[tuple[int, int]] = Counter()
        """Index of the kill and account: how many calls it left unknown."""
        self.by_kind: Counter[str] = Counter()
        self.without_a_kill: list[str] = []
        times = [kill.at for kill in self.kills]
        for kind in CALL_KINDS:
            for pk, account, at in kind.hand_overs(lost_only=True):
                self.by_kind[kind.name] += 1
                index = bisect_left(times, chaos.handed_over.get((kind.name, pk), at))
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
                what = f"a kill ({self.kills[index].kind}) left {number} calls unknown"
                name = self._accounts[account].name
                found.append(f"{what} at {name}, where {self.allowed(account)} are allowed")
        return found

    def allowed_at_once(self) -> int:
        return sum(map(self.allowed, self._accounts))

    def most_at_once(self) -> int:
        return max(self._of_each_kill(), default=0)

    def by_kind_of_kill(self) -> dict[str, tuple[int, int, int]]:
        """How often it happened, how many calls it left unknown, and the most of one kill."""
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
