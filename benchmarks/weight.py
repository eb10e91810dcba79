"""Measure how heavy the pages are: CPU, bytes before and after compression, markup of a row.

python -m benchmarks.weight [rows] [--profile PAGE]

Rows are messages; the other tables have shares of them. A figure is the CPU of this process for one
of 20 requests after two first ones.
"""

from __future__ import annotations

import cProfile
import gzip
import pstats
import sys
import time
from importlib import import_module
from typing import Any, Final

from . import portal

ROWS: Final = 10_000
TIMES: Final = 20
PAGES: Final = (
    ("messages", "/messaging/message/"),
    ("batches", "/messaging/batch/"),
    ("codes", "/otp/session/?period=all"),
    ("orders", "/rentals/order/"),
    ("transactions", "/rentals/transaction/"),
    ("calls", "/providers/apicall/"),
    ("callbacks", "/providers/callback/"),
    ("dashboard", "/"),
    ("send SMS", "/messaging/message/send/"),
    ("send code", "/otp/session/send/"),
    ("rent a number", "/rentals/order/rent/"),
)


def main() -> None:
    arguments = sys.argv[1:]
    profiled = arguments[arguments.index("--profile") + 1] if "--profile" in arguments else ""
    rows = int(arguments[0]) if arguments and arguments[0].isdigit() else ROWS
    portal.begin(f"Weight of pages beside {rows:,} messages", LOG_LEVEL="ERROR")
    from django.core.management import call_command

    from . import pages_rows

    # Pages name their files by the manifest of the collected ones.
    call_command("collectstatic", interactive=False, verbosity=0)
    # As in a web worker.
    import_module("smsportal.wsgi")
    pages_rows.fill(rows)
    client = pages_rows.signed_in()
    print("| page | CPU | bytes | compressed | a row |\n|---|---|---|---|---|")
    for name, address in PAGES:
        if profiled and name != profiled:
            continue
        page = client.get(address, secure=True).content.decode()
        milliseconds = _cpu_of(client, address)
        row = f"{row_bytes(page):,}" if "data-row" in page else ""
        packed = len(gzip.compress(page.encode(), 6))
        size = f"{len(page.encode()):,} | {packed:,} | {row}"
        print(f"| {name} | {milliseconds:.1f} ms | {size} |", flush=True)
        if profiled:
            _profile(client, address)
    portal.close()


def row_bytes(page: str) -> int:
    """The markup of one row of a list, on average."""
    rows = page.partition('id="result_list"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return len(rows.encode()) // rows.count("data-row")


def _cpu_of(client: Any, address: str) -> float:
    began = 0.0
    for number in range(TIMES + 1):
        if number == 1:
            began = time.process_time()
        answer = client.get(address, secure=True)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
    return 1000 * (time.process_time() - began) / TIMES


def _profile(client: Any, address: str) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for _number in range(TIMES):
        client.get(address, secure=True)
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(90)
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
