"""Set up a run, inject faults and report. The exit code is 1 after any violation."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from pathlib import Path
from typing import Any

from .. import portal
from ..report import machine

ENVIRONMENT = {
    "PUBLIC_ADDRESS": "http://127.0.0.1:8000",
    # One user does everything.
    "DAILY_CODES": "100000",
    "DAILY_ORDERS": "100000",
}
MOST_SHOWN = 40
"""Violations to print. A real defect violates the promise for very many rows."""


def main() -> int:
    options = _arguments()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    with portal.database(options.database):
        folder = portal.set_up(**ENVIRONMENT)
        options.hosts = options.hosts or (1 if portal.database_name() == "SQLite" else 2)
        print(
            f"Chaos: {options.texts} texts among all other calls, {options.kills} kills,"
            f" {options.hosts} host(s), {portal.database_name()}, seed {options.seed}. {machine()}",
            flush=True,
        )
        try:
            return _run(options, folder)
        finally:
            portal.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument(
        "--texts", type=int, default=5000, help="Calls of other kinds are in proportion."
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--hosts", type=int, help="SQLite: 1, PostgreSQL: 2, unless named.")
    parser.add_argument(
        "--database", default="sqlite", help="sqlite, postgresql, or a server as postgres://…"
    )
    parser.add_argument("--json", type=Path, help="Write the figures to this file as well.")
    parser.add_argument(
        "--hurry",
        action="store_true",
        help="At the end, make the rows of killed loops two minutes older instead of waiting.",
    )
    options = parser.parse_args()
    if not 1 <= options.kills <= options.texts:
        parser.error("at least one kill, and one text for each")
    return options


def _run(options: argparse.Namespace, folder: Path) -> int:
    from ..clusters import hosts, sandbox_process
    from . import accounts, checks, fault_injection, figures, unknowns

    with sandbox_process(min(accounts.DELAYS["haorui"])) as (remote, url):
        url = url.removesuffix("/haorui")
        accounts.set_up_providers(
            remote,
            sms_delay=1.0 if options.hurry else 3.0,
            lifetime=20.0 if options.hurry else 90.0,
        )
        made = accounts.make_accounts(remote, url)
        with hosts(options.hosts, folder) as running:
            chaos = fault_injection.Chaos(running, remote, made, options.seed)
            chaos.run(options.kills, fault_injection.make_wave(options.texts // options.kills))
            chaos.settle(hurry=options.hurry)
            for host in running:
                # Everything is settled, and a cluster that lost a worker may not drain.
                host.kill()
        left = unknowns.Unknowns(chaos)
        problems = checks.violations(chaos, left, remote)
        found = figures.figures(chaos, left)
        figures.print_figures(found)
        for host in running:
            checks.print_logged_errors(host.log)
    return _report(options, found, problems)


def _report(options: argparse.Namespace, found: dict[str, Any], problems: list[str]) -> int:
    for problem in problems[:MOST_SHOWN]:
        print(f"  VIOLATED: {problem}")
    if len(problems) > MOST_SHOWN:
        print(f"  and {len(problems) - MOST_SHOWN} more")
    verdict = "broken" if problems else "kept"
    print("The promise was broken." if problems else "Nothing was done twice, nothing is lost.")
    if options.json:
        run = {"seed": options.seed, "database": portal.database_name(), "hosts": options.hosts}
        figures = {**run, **found, "verdict": verdict, "violations": problems}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    # SIGTERM must end every process, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
