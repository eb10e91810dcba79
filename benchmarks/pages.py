"""Time each page with few rows and with many, and print how many times longer it takes.

python -m benchmarks.pages [rows of the small database] [rows of the large one]
    [--only PART OF A NAME] [--keep FOLDER]

Rows are messages; the other tables have shares of them. Both databases have as many a day, and the
smaller one is younger. Each is filled by single statements, SQLite in a temporary folder or the one
of --keep, PostgreSQL by BENCH_DATABASE_URL. With --keep, the next run takes the SQLite databases as
they are. A figure is the CPU of this process and of its PostgreSQL backend, which runs on the same
machine, for the quickest of 5 requests after a first one: other work makes the others longer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from . import portal

SMALL: Final = 10_000
LARGE: Final = 1_000_000
TIMES: Final = 5
ALLOWED_RATIO: Final = 1.2
ALLOWED_MS: Final = 30.0
BOUNDED: Final = ("messages: three filters",)
"""No index serves these. They read a period that the page names."""
BOUNDED_MS: Final = 2_000.0
MESSAGES: Final = "/messaging/message/"
SEARCH: Final = "/search/"
"""Answers a form, so that no number stands in an address."""
ACCOUNT: Final = {"account__id__exact": "{account}"}
THREE: Final = {"country": "VN", "kind__exact": "text", "shown": "held"}
NOT_DELIVERED: Final = ["undelivered", "expired", "rejected", "refused", "not_sent"]

PAGES: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    ("dashboard", "/", {}),
    ("messages: first page", MESSAGES, {}),
    ("messages: page 100", MESSAGES, {"period": "all", "p": "100"}),
    ("messages: last page", MESSAGES, {"period": "all", "p": "99999"}),
    ("messages: other order", MESSAGES, {"period": "all", "o": "7"}),
    ("messages: all times", MESSAGES, {"period": "all"}),
    ("messages: 30 days", MESSAGES, {"period": "30"}),
    ("messages: delivered", MESSAGES, {"shown": "delivered"}),
    ("messages: tab not delivered", MESSAGES, {"shown": NOT_DELIVERED}),
    ("messages: tab no report", MESSAGES, {"shown": "submitted_no_report"}),
    ("messages: accepted (no reports)", MESSAGES, {"shown": "submitted_no_reports"}),
    ("messages: one account", MESSAGES, ACCOUNT),
    ("messages: kind code", MESSAGES, {"kind__exact": "own_code"}),
    ("messages: country", MESSAGES, {"country": "VN"}),
    ("messages: reason", MESSAGES, {"reason": "content"}),
    ("messages: conflict", MESSAGES, {"conflict": "1"}),
    ("messages: one sender", MESSAGES, {"created_by__id__exact": "{sender}"}),
    ("messages: account + state", MESSAGES, {**ACCOUNT, "shown": "refused"}),
    ("messages: account + day", MESSAGES, {**ACCOUNT, "day": "1"}),
    ("messages: state + month", MESSAGES, {"shown": "delivered", "day": "30"}),
    ("messages: sender + day", MESSAGES, {"created_by__id__exact": "{sender}", "day": "1"}),
    ("messages: three filters", MESSAGES, THREE),
    ("messages: one batch", MESSAGES, {"batch": "{batch}"}),
    ("messages: search number", MESSAGES, {"q": "{number}"}),
    ("messages: search provider id", MESSAGES, {"q": "{provider_id}"}),
    ("messages: search text, 7 days", MESSAGES, {"q": "nowhere"}),
    ("messages: changes", f"{MESSAGES}changes/", {}),
    ("messages: changes, state", f"{MESSAGES}changes/", {"shown": "delivered"}),
    ("codes: first page", "/otp/session/", {}),
    ("codes: all times", "/otp/session/", {"period": "all"}),
    ("codes: verified", "/otp/session/", {"shown": "verified"}),
    ("codes: SMS undelivered", "/otp/session/", {"sms": "undelivered"}),
    ("codes: search number", "/otp/session/", {"q": "{code_number}"}),
    ("codes: search id", "/otp/session/", {"q": "{code_id}"}),
    ("codes: SMS delivered", "/otp/session/", {"sms": "delivered"}),
    ("codes: SMS without report", "/otp/session/", {"sms": "submitted_no_report"}),
    ("orders: first page", "/rentals/order/", {}),
    ("orders: last page", "/rentals/order/", {"p": "99999"}),
    ("orders: search order id", "/rentals/order/", {"q": "order77"}),
    ("board", "/rentals/order/board/", {"scope": "team"}),
    ("board: changes", "/rentals/order/board/changes/", {}),
    ("transactions: first page", "/rentals/transaction/", {}),
    ("transactions: search order id", "/rentals/transaction/", {"q": "order77"}),
    ("accounts", "/providers/account/", {}),
    ("calls: first page", "/providers/apicall/", {}),
    ("calls: last page", "/providers/apicall/", {"p": "99999"}),
    ("calls: operation rare", "/providers/apicall/", {"operation": "fetch_profile"}),
    ("calls: status 429", "/providers/apicall/", {"status": "429"}),
    ("calls: search subject", "/providers/apicall/", {"q": "message:77"}),
    ("calls: search text, a day", "/providers/apicall/", {"q": "nowhere"}),
    ("callbacks: first page", "/providers/callback/", {}),
    ("callbacks: says rejected", "/providers/callback/", {"says": "rejected"}),
    ("callbacks: search reference", "/providers/callback/", {"q": "{reference}"}),
    ("search: a number", SEARCH, {"s": "{number}"}),
    ("search: provider id", SEARCH, {"s": "{provider_id}"}),
    ("search: order id", SEARCH, {"s": "order77"}),
    ("search: a name", SEARCH, {"s": "person7"}),
    ("search: nothing", SEARCH, {"s": "nowhere"}),
    ("page of a number", "/number/{token}/", {}),
    ("figures: 30 days", "/figures/", {"by": "day", "first": "{month}", "last": "{today}"}),
    ("scoreboard", "/scoreboard/", {}),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int, nargs="*", default=[SMALL, LARGE])
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.rows[0], options.only, options.keep)
        return
    found = []
    for rows in options.rows:
        command = [sys.executable, "-m", "benchmarks.pages", "--one", str(rows)]
        command += ["--only", options.only]
        command += ["--keep", str(options.keep)] if options.keep else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        head, *lines = output.splitlines()
        print(head, flush=True)
        found.append(dict(line.split("\t") for line in lines if "\t" in line))
    small, large = (f"{rows:,} ms" for rows in options.rows)
    print(f"| page | {small} | {large} | times |\n|---|---|---|---|")
    for name, one in found[0].items():
        few, many = float(one), float(found[1][name])
        allowed = max(few * ALLOWED_RATIO, few + ALLOWED_MS)
        slow = many > (BOUNDED_MS if name in BOUNDED else allowed)
        print(f"| {name} | {few:.0f} | {many:.0f} | {many / few:.1f}{' slow' if slow else ''} |")


def measure(rows: int, only: str, keep: Path | None) -> None:
    kept = keep / f"{rows}.sqlite3" if keep else None
    is_filled = kept is not None and kept.exists()
    if kept:
        os.environ["BENCH_DATABASE_URL"] = f"sqlite:///{kept}"
    else:
        _empty()
    # An hour, so that reports are overdue in the smaller database, too.
    portal.begin(f"Pages beside {rows:,} messages", LOG_LEVEL="ERROR", REPORT_HOURS="1")
    from django.core.management import call_command

    from . import pages_rows

    # Pages name their files by the manifest of the collected ones.
    call_command("collectstatic", interactive=False, verbosity=0)
    if not is_filled:
        began = time.monotonic()
        pages_rows.fill(rows)
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    names = pages_rows.names()
    client = pages_rows.signed_in()
    for name, address, query in PAGES:
        if only in name:
            milliseconds = _time_of(client, address, query, names)
            print(f"{name}\t{milliseconds:.2f}", flush=True)
    portal.close()


def _empty() -> None:
    """Leave nothing of an earlier size in a PostgreSQL database."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        import psycopg

        address = url.replace("postgres://", "postgresql://", 1)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")


def _time_of(
    client: Any, address: str, query: Mapping[str, Any], names: Mapping[str, str]
) -> float:
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    address = address.format(**names)
    filled: dict[str, Any] = {}
    for name, value in query.items():
        if name == "day":
            since = timezone.localdate() - timedelta(days=int(value))
            filled["created_at_from_0"] = since.isoformat()
        else:
            filled[name] = value if isinstance(value, list) else str(value).format(**names)
    taken = []
    for _ in range(TIMES + 1):
        began = _cpu(connection)
        ask = client.post if address == SEARCH else client.get
        answer = ask(address, filled, secure=True, headers={"X-Rows": names["newest"]})
        if answer.status_code not in (200, 302):
            raise RuntimeError(f"{address} answered {answer.status_code}")
        taken.append(_cpu(connection) - began)
    return 1000 * min(taken[1:])


def _cpu(connection: Any) -> float:
    """Seconds of CPU that this process and its PostgreSQL backend have used."""
    if connection.vendor == "sqlite":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    nanoseconds = int(Path(f"/proc/{pid}/schedstat").read_text(encoding="utf-8").split()[0])
    return time.process_time() + nanoseconds / 1e9


if __name__ == "__main__":
    main()
