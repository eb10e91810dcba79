"""The conditions that must hold after a run."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from messaging.models import Message
from providers.models import Callback
from rentals.models import Finding, Order

from ..chaos import ledgers, outcomes
from . import call_checks
from .past import NOTED_LATE, PUSH_TAKES, Past, is_lost
from .portal_host import KILLABLE
from .run import Soak, unknown_calls
from .samples import too_many_rows
from .soak_book import PushKey, content_of

IN_FLIGHT = 32
"""Calls in flight of all accounts together."""
STRAY = re.compile(rb"stray-\d{8}")
EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Timeout|Refused)\w*)\b")
CHAINED = re.compile(r"^(During handling of the above|The above exception was the direct cause)")
EXPECTED = re.compile(
    r"^[\w.]*(OperationalError|InterfaceError|InternalError|AdminShutdown|ReadOnlySqlTransaction"
    r"|TooManyConnections|CrashShutdown|CannotConnectNow|DiskFull|DatabaseError|DiskIOError"
    r"|ConnectionRefusedError|ConnectionResetError|BrokenPipeError|ConnectionError|EOFError"
    r"|KeyboardInterrupt|SystemExit|CommandError|ConnectionTimeout)"
    r"|^OSError: \[Errno 28\]"
    r"|^RuntimeError: Q Cluster .* failed to start"
)
"""Exceptions that a killed process, a missing database or a full disk explain."""
NOT_YET_RESTORED = re.compile(r'^[\w.]*(ProgrammingError|UndefinedTable): relation ".*" does not')
"""While a dump is being restored under running hosts, the database has no tables for a moment."""


def violations(soak: Soak, past: Past | None) -> list[str]:
    """Every violation, in words."""
    book = soak.book
    found = [
        *soak.problems,
        *call_checks.repeated_sends(book, past),
        *call_checks.wrong_messages(book, past),
        *call_checks.wrong_checks(book, soak.workload.checked),
        *call_checks.repeated_orders(book, past),
        *call_checks.repeated_cancels(book, past),
        *outcomes.wrong_orders(book),
        *outcomes.wrong_cancels(book),
        *call_checks.lost_forms(list(soak.staff.forms), past),
        *lost_callbacks(soak, past),
        *_unsettled(soak),
        *_missing_coverage(soak),
        *_refused_forms(soak, past),
        *_unknowns(soak, past),
        *ledgers.wrong_journal(),
        *soak.memory.growing(),
        *too_many_rows((time.time() - soak.started_at) / 60),
    ]
    for account in soak.accounts.gosms:
        found += ledgers.wrong_transactions(soak.world.remote, account)
        found += ledgers.wrong_charges(soak.world.remote, account)
        found += ledgers.wrong_findings(account, call_checks.orders_taken_back(book, past))
    for host in soak.world.hosts:
        found += unexpected_exceptions(host.log, restored=past is not None)
    return found


def lost_callbacks(soak: Soak, past: Past | None) -> Iterator[str]:
    """Callbacks that were answered with 200 and are not stored."""
    stored: set[PushKey] = set()
    strays: set[str] = set()
    for row in Callback.objects.select_related("account").iterator():
        body = bytes(row.body)
        if mark := STRAY.search(body):
            strays.add(mark[0].decode())
            continue
        fields = dict(parse_qsl(row.query, keep_blank_values=True)) if row.query else _json(body)
        stored.add((row.account.name, content_of(fields)))
    for key, times in soak.book.stored.items():
        if key not in stored and not is_lost(past, times, early=PUSH_TAKES, late=NOTED_LATE):
            yield f"a callback of {key[0]} was answered at {times} and is not stored: {key[1]}"
    for name, times in soak.staff.stored_callbacks.items():
        if name not in strays and not is_lost(past, times, late=NOTED_LATE):
            yield f"the callback {name} was answered at {times} and is not stored"


def _json(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unsettled(soak: Soak) -> Iterator[str]:
    if not soak.settled:
        yield f"not everything settled: {soak.open_work()}"
    elif not soak.books_read:
        yield "the provider's transactions were not read to their end"


def _missing_coverage(soak: Soak) -> Iterator[str]:
    """A run without calls and processes of each kind proves nothing about them."""
    yield from (f"no {name} was called" for name in soak.kinds_not_called())
    for process in set(KILLABLE) - set(soak.memory.highest()) - {"engine idle"}:
        yield f"no process was found that is a {process}, so none was killed"
    if soak.book.missed:
        yield f"{soak.book.missed} entries of the sandbox's book were not read"


def _refused_forms(soak: Soak, past: Past | None) -> Iterator[str]:
    refused = Counter(
        f"{form.kind}: {form.refused}" for form in list(soak.staff.forms) if form.refused
    )
    for words, times in refused.items():
        # Between the page and the post, an account was paused, a batch moved on, or a restore took
        # the object back.
        moved_on = words.startswith("batch ") or "paused" in words
        if not moved_on and not (past is not None and ": 404" in words):
            yield f"{times} forms came back: {words}"


def allowed_unknowns(soak: Soak, past: Past | None) -> int:
    """Calls whose answer a fault of the sandbox spoiled, those cut off by our own faults, and
    those that a person did not want to be sent."""
    discarded = past.discarded if past else 0
    return soak.book.struck + 2 * IN_FLIGHT * len(soak.struck) + discarded


def _unknowns(soak: Soak, past: Past | None) -> Iterator[str]:
    number, allowed = unknown_calls(), allowed_unknowns(soak, past)
    if number > allowed:
        yield f"{number} calls are unknown, and {allowed} can be explained"


def unexpected_exceptions(log: Path, *, restored: bool = False) -> list[str]:
    """Exceptions in a host's log that no fault explains.

    Of exceptions that were raised while others were handled, the last one counts.
    """
    found: list[str] = []
    inside = False
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("Traceback (most recent call last):"):
            inside = True
        elif inside and EXCEPTION.match(line):
            inside = False
            found.append(line[:200])
        elif found and CHAINED.match(line):
            found.pop()
    if restored:
        found = [line for line in found if not NOT_YET_RESTORED.search(line)]
    wrong = Counter(line for line in found if not EXPECTED.search(line))
    return [f"{log.stem} logged {times} times: {line}" for line, times in wrong.items()]


def figures(soak: Soak, past: Past | None = None) -> dict[str, object]:
    states = Counter(Message.objects.values_list("state", flat=True))
    return {
        "forms": dict(Counter(form.kind for form in list(soak.staff.forms))),
        "forms_taken": len(soak.staff.taken()),
        "answers": dict(soak.staff.answers),
        "sends_in_the_book": sum(sum(one.values()) for one in soak.book.sent.values()),
        "orders_in_the_book": sum(map(len, soak.book.orders.values())),
        "messages": dict(states),
        "orders": dict(Counter(Order.objects.values_list("state", flat=True))),
        "unknown": unknown_calls(),
        "unknown_explained": allowed_unknowns(soak, past),
        "released": len(past.released) if past else 0,
        "discarded": past.discarded if past else 0,
        "calls_struck_by_sandbox_faults": soak.book.struck,
        "callbacks": Callback.objects.count(),
        "callbacks_pushed_and_answered": sum(map(len, soak.book.stored.values())),
        "callbacks_without_an_answer": soak.book.unanswered,
        "findings": Finding.objects.count(),
        "faults": dict(Counter(one.name for one in soak.struck)),
        "killed_alone": dict(soak.world.kills),
        "starts_of_the_portal": {host.name: host.starts for host in soak.world.hosts},
        "portal_ended": dict(soak.endings),
        "pauses": dict(soak.pauses),
        "memory": soak.memory.highest(),
    }
