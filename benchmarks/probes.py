"""Time `/readyz` and `/metrics` beside many rows, as a load balancer and Prometheus ask for them.

python -m benchmarks.probes [rows] [--keep FOLDER]

Rows are messages; the other tables have shares of them, as in `benchmarks.pages`. Nothing is
remembered between two requests. Besides the CPU of the quickest request it prints the longest wall
time, which counts on an idle machine only, and the slowest parts.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from . import portal

ROWS: Final = 1_000_000
TIMES: Final = 9
ALLOWED_MS: Final = 50.0
TOKEN: Final = "a-token-for-this-measurement"
SLOWEST: Final = 4
"""Statements that are printed for each address."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int, nargs="?", default=ROWS)
    parser.add_argument("--keep", type=Path, help="Folder of a filled SQLite database.")
    options = parser.parse_args()
    kept = options.keep / f"{options.rows}.sqlite3" if options.keep else None
    is_filled = kept is not None and kept.exists()
    if kept:
        os.environ["BENCH_DATABASE_URL"] = f"sqlite:///{kept}"
    portal.begin(f"Probes beside {options.rows:,} messages", LOG_LEVEL="ERROR", METRICS_TOKEN=TOKEN)
    from . import pages_rows

    if not is_filled:
        began = time.monotonic()
        pages_rows.fill(options.rows)
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    measure()
    portal.close()


def measure() -> None:
    from django.test import Client

    from smsportal.probes import metrics, readiness

    client = Client(headers={"Authorization": f"Bearer {TOKEN}"})
    print("| address | CPU, ms | longest, ms | |\n|---|---|---|---|")
    for address, forget in (("/readyz", readiness.forget), ("/metrics", metrics.forget)):
        # The first request also loads modules.
        client.get(address)
        found = [_time_once(client, address, forget) for _ in range(TIMES)]
        cpu, longest = min(one[0] for one in found), max(one[1] for one in found)
        print(f"| `{address}` | {cpu:.1f} | {longest:.1f} | {_verdict(cpu)} |", flush=True)
        for milliseconds, statement in _slowest(client, address, forget):
            print(f"    {milliseconds:.1f} ms {statement}", file=sys.stderr, flush=True)


def _verdict(milliseconds: float) -> str:
    return "" if milliseconds <= ALLOWED_MS else "slow"


def _time_once(client: Any, address: str, forget: Any) -> tuple[float, float]:
    """Milliseconds of CPU, here and in the PostgreSQL backend, and of wall time."""
    from django.db import connection

    from .pages import _cpu

    forget()
    cpu, wall = _cpu(connection), time.perf_counter()
    answer = client.get(address)
    wall = time.perf_counter() - wall
    cpu = _cpu(connection) - cpu
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}: {answer.content[:500]!r}")
    return 1000 * cpu, 1000 * wall


def _slowest(client: Any, address: str, forget: Any) -> list[tuple[float, str]]:
    from django.db import connection

    taken: list[tuple[float, str]] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            taken.append((1000 * (time.perf_counter() - began), " ".join(sql.split())[:300]))

    forget()
    with connection.execute_wrapper(watch):
        client.get(address)
    return sorted(taken, reverse=True)[:SLOWEST]


if __name__ == "__main__":
    main()
