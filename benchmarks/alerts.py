"""Time each kind of alert rule beside many rows: looking at it, and its test with the last days.

python -m benchmarks.alerts [messages] [--keep FOLDER]

Rows are messages; the other tables have shares of them, as in `benchmarks.pages`. To these come
balances that are read every two minutes, pauses, approvals and checks of the audit log. A figure
is the CPU of this process and of its PostgreSQL backend for the quickest of three.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from . import portal

MESSAGES: Final = 200_000
TIMES: Final = 3
ALLOWED_MS: Final = 2_000.0
READINGS_PER_ACCOUNT: Final = 10_000
PAUSES: Final = 60_000
APPROVALS: Final = 30_000
CHECKS: Final = 400
SPAN_DAYS: Final = 14.0
LIMITS: Final = {"balance": 500}
"""Where the default would read nothing here."""


def main() -> None:
    portal.begin_filled("Alert rules beside {messages:,} messages", MESSAGES)
    _fill()
    _measure()
    portal.close()


def _fill() -> None:
    from django.db import connection

    from audit.models import ChainCheck
    from providers.models import AccountPause, Approval, BalanceReading

    from .insert_rows import ago, insert, span, text
    from .pages_rows import ACCOUNTS, STAFF

    if BalanceReading.objects.exists():
        return
    span.days = SPAN_DAYS
    readings = READINGS_PER_ACCOUNT * ACCOUNTS
    account = f"1 + n % {ACCOUNTS}"
    insert(
        BalanceReading,
        readings,
        {"account_id": account, "read_at": ago("n", readings), "balance": "1000 - n % 1000"},
    )
    least = "min" if connection.vendor == "sqlite" else "least"
    over = ago(f"{least}(n + 10, {PAUSES})", PAUSES)
    times = {"started_at": ago("n", PAUSES), "ended_at": over}
    insert(AccountPause, PAUSES, {"account_id": account, "reason": "'no_balance'", **times})
    asked = {
        "public_id": text("a"),
        "subject": text("batch:"),
        "account_id": account,
        "state": "'granted'",
        "asked_by_id": f"1 + n % {STAFF}",
        "asked_at": ago("n", APPROVALS),
        "decided_at": ago(f"{least}(n + 100, {APPROVALS})", APPROVALS),
    }
    insert(Approval, APPROVALS, asked)
    checked = {"begun_at": ago("n", CHECKS), "ended_at": ago("n", CHECKS)}
    insert(ChainCheck, CHECKS, checked)
    portal.vacuum()


def _measure() -> None:
    from alerts.facts import Facts
    from alerts.kinds import KINDS
    from alerts.models import Rule
    from alerts.rehearsal import rehearse
    from providers import clock

    print("| kind | one look, ms | test with the last 7 days, ms | found |\n|---|---|---|---|")
    for kind in KINDS:
        limits = {
            name: threshold.default
            for name in ("limit", "least")
            if (threshold := getattr(kind, name)) is not None
        }
        limits |= {"limit": LIMITS[kind.key]} if kind.key in LIMITS else {}
        rule = Rule(kind=kind.key, created_at=clock.now(), **limits)
        find = kind.find

        def look(rule: Rule = rule, find: Any = find) -> object:
            return list(find(rule, Facts(clock.now())))

        def test(rule: Rule = rule, kind: Any = kind) -> Any:
            return rehearse(kind, rule, [], clock.now())

        taken = [_time_of(act) for act in (look, test)]
        found = test()
        counted = f"{len(found.spells):,}{', less time' * found.is_shortened}" if found else "–"
        slow = " slow" if max(taken) > ALLOWED_MS else ""
        print(f"| {kind.key} | {taken[0]:.0f} | {taken[1]:.0f}{slow} | {counted} |", flush=True)


def _time_of(act: Callable[[], object]) -> float:
    from django.db import connection

    from .pages import _cpu

    taken = []
    for _ in range(TIMES):
        began, wall = _cpu(connection), time.perf_counter()
        act()
        taken.append(min(_cpu(connection) - began, time.perf_counter() - wall))
    return 1000 * min(taken)


if __name__ == "__main__":
    main()
