"""The conditions that must hold after a run, by our rows and by the sandbox's book."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from sandbox.remote import Remote

from . import batches, calls, ledgers, outcomes, repeats
from .fault_injection import Chaos
from .unknowns import Unknowns

FAULT = re.compile(r"^Traceback \(most recent call last\):|\b(?:ERROR|CRITICAL)\b")
MANY_KILLS = 10
"""With at least this number of kills, each kind of call must have been hit."""
EXPECTED = re.compile(r"reincarnated|ended|killed")


def violations(chaos: Chaos, unknowns: Unknowns, remote: Remote) -> list[str]:
    """Every violation, in words."""
    book = chaos.book
    remote.clear_faults()
    found = [
        *repeats.repeated_sends(book),
        *repeats.repeated_checks(book.checks, chaos.codes.checked.values()),
        *repeats.repeated_orders(book),
        *repeats.repeated_cancels(book),
        *outcomes.wrong_messages(book),
        *outcomes.wrong_checks(book, chaos.codes),
        *outcomes.wrong_orders(book),
        *outcomes.wrong_cancels(book),
        *_unsettled(chaos),
        *_missing_coverage(chaos),
        *batches.differences(),
        *unknowns.problems(),
        *ledgers.wrong_journal(),
    ]
    for account in chaos.accounts.gosms:
        found += ledgers.wrong_transactions(remote, account)
        found += ledgers.wrong_charges(remote, account)
        found += ledgers.wrong_findings(account)
    return found


def _unsettled(chaos: Chaos) -> list[str]:
    if chaos.drained_at is None:
        return ["the queue did not drain automatically"]
    if chaos.settled_at is None:
        return ["the calls of killed loops did not settle automatically"]
    return [] if chaos.books_read else ["the provider's transactions were not read to their end"]


def _missing_coverage(chaos: Chaos) -> list[str]:
    """A run without calls of each kind proves nothing about them."""
    found = [
        f"no {kind.name} was called"
        for kind in calls.CALL_KINDS
        if not kind.rows().filter(handed_over_at__isnull=False).exists()
    ]
    if len(chaos.kills) >= MANY_KILLS:
        missing = (kind.name for kind in calls.CALL_KINDS if not chaos.under_way[kind.name])
        found += [f"no kill came while a {name} was in flight" for name in missing]
    if chaos.book.missed:
        found.append(f"{chaos.book.missed} entries of the sandbox's book were not read")
    return found


def print_logged_errors(log: Path) -> None:
    """Print the errors in a cluster's log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    wrong = [line for line in lines if FAULT.search(line) and not EXPECTED.search(line)]
    counted = Counter(re.sub(r"^\S+ \S+ |[0-9a-f-]{8,}", "", line) for line in wrong)
    for line, times in counted.most_common(8):
        print(f"  logged {times} times on {log.stem}: {line[:150]}")
