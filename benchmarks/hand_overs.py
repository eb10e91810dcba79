"""Whether limits hold while hosts join and leave, and how evenly the accounts are shared.

python -m benchmarks.hand_overs [--seconds 120] [--accounts 9]

Each account has more work than its limits of 10 calls a second and 300 a minute allow. Hosts join,
leave in order and are killed, so that accounts change hands again and again. The provider counts
the calls of each account on arrival and refuses those over the limit.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from . import portal
from .limits import PER_MINUTE, PER_SECOND, most_within

if TYPE_CHECKING:
    from .clusters import Host

ANSWERS_AFTER = 0.2
TICK = 0.1


def main() -> None:
    options = _arguments()
    folder = portal.begin(
        f"{options.accounts} accounts with {PER_SECOND} a second and {PER_MINUTE} a minute while"
        f" hosts join and leave for {options.seconds:.0f} s",
        PUBLIC_ADDRESS="http://127.0.0.1:8000",
    )
    _measure(options, folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hand_overs")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--accounts", type=int, default=9)
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: Path) -> None:
    from .clusters import calls_of, sandbox_process

    limits = {"rate_per_second": PER_SECOND, "rate_per_minute": PER_MINUTE}
    with sandbox_process(ANSWERS_AFTER, **limits) as (remote, url):
        for number in range(options.accounts):
            login = {"api_id": f"id {number}", "api_password": "a password"}
            remote.add_account("haorui", f"account {number}", *login.values())
            account = portal.make_account(
                url, 4, credentials=login, per_second=PER_SECOND, per_minute=PER_MINUTE
            )
            portal.queue_messages(account, int((options.seconds / 60 + 1) * PER_MINUTE))
        hosts = Hosts(folder)
        try:
            hosts.run(options.seconds)
        finally:
            hosts.stop_all()
        calls = calls_of(remote)
    times: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        times[str(call["account"])].append(float(str(call["monotonic"])))
    _report(list(times.values()), sum(call["status"] == 429 for call in calls), hosts.moves)


class Hosts:
    """Two hosts join the first one; one leaves in order, one is killed; both join again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Host] = {}
        self._holders: dict[int, str] = {}
        self.moves = 0

    def run(self, seconds: float) -> None:
        steps: Sequence[tuple[Callable[[str], None], str]] = (
            (self._join, "host1"),
            (self._join, "host2"),
            (self._join, "host3"),
            (self._leave, "host2"),
            (self._kill, "host3"),
            (self._join, "host2"),
            (self._join, "host3"),
            (self._leave, "host1"),
        )
        for act, name in steps:
            act(name)
            self._run_for(seconds / len(steps))
            print(f"  {act.__name__.strip('_'):5} {name}: {self._spread()}", flush=True)

    def stop_all(self) -> None:
        for host in self._running.values():
            host.stop()

    def _join(self, name: str) -> None:
        from django.conf import settings

        from providers.engine import wake

        from .clusters import Host

        own = self._folder / name
        own.mkdir(exist_ok=True)
        environment = {} if settings.ON_SQLITE else {"DATA_DIR": str(own)}
        self._running[name] = Host(name, self._folder, PORTAL_HOST=name, **environment)
        wake.keep_running()

    def _leave(self, name: str) -> None:
        self._running.pop(name).stop()

    def _kill(self, name: str) -> None:
        self._running.pop(name).kill()

    def _run_for(self, seconds: float) -> None:
        from providers.models import Lease

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for host in self._running.values():
                host.supervise()
            holders = dict(Lease.objects.exclude(holder="").values_list("account_id", "holder"))
            self.moves += sum(self._holders.get(pk, one) != one for pk, one in holders.items())
            self._holders |= holders
            time.sleep(TICK)

    def _spread(self) -> str:
        """The number of accounts of each loop, by host."""
        from providers.engine import heartbeats

        held = Counter(self._holders.values())
        by_host: dict[str, list[int]] = defaultdict(list)
        for loop, host in sorted(heartbeats.sharing_loops().items()):
            by_host[host].append(held[loop])
        return "; ".join(f"{host} {sorted(by_host[host])}" for host in sorted(by_host))


def _report(accounts: Sequence[Sequence[float]], refused: int, moves: int) -> None:
    start = min(times[0] for times in accounts)
    gaps = [
        max((after - before, before - start) for before, after in pairwise(times))
        for times in accounts
    ]
    print(f"  {sum(map(len, accounts))} calls; accounts changed hands {moves} times")
    print(
        f"  most in any second {max(most_within(times, 1.0) for times in accounts)} of"
        f" {PER_SECOND}, in any minute {max(most_within(times, 60.0) for times in accounts)} of"
        f" {PER_MINUTE}; refused for too many calls: {refused}"
    )
    words = ", ".join(f"{gap:.1f} s after {at:.0f} s" for gap, at in sorted(gaps, reverse=True))
    print(f"  longest time without a call, by account: {words}")


if __name__ == "__main__":
    main()
