"""Choose, set up, let it storm, and report. Exit code 1 if anything was violated."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path

from .. import portal
from ..report import machine


def main() -> int:
    options = _arguments()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    with portal.database(options.database):
        folder = portal.set_up(PUBLIC_ADDRESS="http://127.0.0.1:8000")
        options.hosts = options.hosts or (1 if portal.database_name() == "SQLite" else 2)
        print(
            f"Storm: {options.messages} messages, {options.kills} kills, {options.hosts} host(s),"
            f" {portal.database_name()}, seed {options.seed}. {machine()}",
            flush=True,
        )
        try:
            return _run(options, folder)
        finally:
            portal.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--hosts", type=int, help="SQLite: 1, PostgreSQL: 2, unless named.")
    parser.add_argument(
        "--database", default="sqlite", help="sqlite, postgresql, or a server as postgres://…"
    )
    parser.add_argument(
        "--hurry",
        action="store_true",
        help="At the end, make what killed loops left two minutes older instead of waiting.",
    )
    return parser.parse_args()


def _run(options: argparse.Namespace, folder: Path) -> int:
    from ..clusters import hosts, practice_providers
    from . import checks, weather

    with practice_providers(weather.MIDDLING) as (remote, url):
        accounts = weather.make_accounts(remote, url)
        with hosts(options.hosts, folder) as running:
            chance = random.Random(options.seed)
            storm = weather.Storm(running, remote, accounts, options.messages, chance)
            storm.blow(options.kills)
            storm.calm_down(hurry=options.hurry)
        problems = checks.report(storm, remote)
        for host in running:
            problems += checks.faults_in(host.log)
    for problem in problems:
        print(f"  VIOLATED: {problem}")
    print("The storm was not weathered." if problems else "Nothing went twice, nothing is lost.")
    return 1 if problems else 0


if __name__ == "__main__":
    # A SIGTERM must end every process as a Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
