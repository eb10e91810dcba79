"""How precisely the engine keeps rate limits, and how fast another loop takes an account over.

python -m benchmarks.limits [--seconds 60] [--kill] [--take-overs 3]

Four processes in two clusters serve one account with more work than its limits of 10 calls a
second and 300 a minute allow. The provider counts calls on arrival and refuses those over the
limit. Then the loop that serves the account is killed, and the time until the next call counts.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import portal

if TYPE_CHECKING:
    from sandbox.remote import Remote

    from .clusters import Host

PER_SECOND, PER_MINUTE = 10, 300
LOOPS = 4
ANSWERS_AFTER = 0.05
STARTS_WITHIN = 60.0
TAKEN_OVER_WITHIN = 10.0
WATCH_EVERY = 3.0


def main() -> None:
    options = _arguments()
    folder = portal.begin(
        f"Limits of {PER_SECOND} a second and {PER_MINUTE} a minute for {options.seconds:.0f} s",
        PUBLIC_ADDRESS="http://127.0.0.1:8000",
    )
    _measure(options, folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kill", action="store_true", help="Kill the loop once in the middle.")
    parser.add_argument("--take-overs", type=int, default=3)
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: Path) -> None:
    from .clusters import calls_of, hosts, sandbox_process

    limits = {"rate_per_second": PER_SECOND, "rate_per_minute": PER_MINUTE}
    with sandbox_process(ANSWERS_AFTER, **limits) as (remote, url), hosts(2, folder) as running:
        remote.add_account("haorui", "bench", *portal.CREDENTIALS.values())
        account = portal.make_account(url, 4, per_second=PER_SECOND, per_minute=PER_MINUTE)
        engine = Engine(running)
        engine.start()
        # Enough for the measured time, one more minute, and one for each take-over.
        minutes = options.seconds / 60 + 1 + options.take_overs
        portal.queue_messages(account, int(minutes * PER_MINUTE))
        if options.kill:
            engine.run_for(options.seconds / 2)
            engine.kill_active_loop()
            engine.run_for(options.seconds / 2 + 2)
        else:
            engine.run_for(options.seconds + 2)
        calls = calls_of(remote)
        _report([float(str(call["monotonic"])) for call in calls], options.seconds)
        print(f"  refused for too many calls: {sum(call['status'] == 429 for call in calls)}")
        gaps = [_take_over(engine, remote) for _ in range(options.take_overs)]
    if gaps:
        times = ", ".join(f"{gap:.1f} s" for gap in gaps)
        print(f"  from SIGKILL to the next call: {times} (wanted: under {TAKEN_OVER_WITHIN:.0f} s)")


class Engine:
    """The clusters, supervised as the portal does it."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._next_watch = 0.0

    def start(self) -> None:
        """Wait until a loop runs in every worker of both clusters."""
        from providers.engine import heartbeats, wake

        deadline = time.monotonic() + STARTS_WITHIN
        while len(heartbeats.living_loops()) < LOOPS:
            if time.monotonic() > deadline:
                raise TimeoutError("The loops did not start.")
            # A cluster with busy workers still fetches tasks in advance, so more are needed.
            wake.start_loop()
            time.sleep(1)

    def run_for(self, seconds: float) -> None:
        from providers.engine import wake

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for host in self._hosts:
                host.supervise()
            if time.monotonic() >= self._next_watch:
                self._next_watch = time.monotonic() + WATCH_EVERY
                wake.keep_running()
            time.sleep(0.1)

    def kill_active_loop(self) -> float:
        """Kill the loop that serves the account. Returns the time on the monotonic clock."""
        found = [process for host in self._hosts if (process := host.busiest())]
        os.kill(max(found, key=lambda process: process.threads).pid, signal.SIGKILL)
        return time.monotonic()


def _take_over(engine: Engine, remote: Remote) -> float:
    """Kill the active loop. Returns the seconds until the first call of another loop."""
    from .clusters import calls_of

    killed_at = engine.kill_active_loop()
    # A call that the killed loop had started arrives at once and does not count.
    engine.run_for(2 * TAKEN_OVER_WITHIN)
    times = [float(str(call["monotonic"])) for call in calls_of(remote)]
    return min((at - killed_at for at in times if at > killed_at + 0.1), default=float("inf"))


def _report(times: Sequence[float], seconds: float) -> None:
    within = [at for at in times if at - times[0] < seconds]
    share = len(within) / (PER_MINUTE * seconds / 60)
    print(
        f"  {len(within)} calls: {len(within) * 60 / seconds:.0f} a minute,"
        f" {share:.1%} of what is allowed (wanted: 95 %)"
    )
    print(
        f"  most in any second {most_within(times, 1.0)} of {PER_SECOND},"
        f" in any minute {most_within(times, 60.0)} of {PER_MINUTE}"
    )


def most_within(times: Sequence[float], length: float) -> int:
    """The highest number of calls in any period of `length` seconds."""
    most = first = 0
    for index, at in enumerate(times):
        while at - times[first] >= length:
            first += 1
        most = max(most, index - first + 1)
    return most


if __name__ == "__main__":
    main()
