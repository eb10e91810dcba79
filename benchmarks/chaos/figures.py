"""The figures of a run, as text and as JSON."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from . import outcomes
from .calls import CALL_KINDS, CANCEL, CHECK, ORDER, CallKind
from .fault_injection import Chaos
from .sandbox_book import SandboxBook
from .unknowns import Unknowns


def figures(chaos: Chaos, unknowns: Unknowns) -> dict[str, Any]:
    last = max((kill.at for kill in chaos.kills), default=chaos.started_at)
    calls = _accepted(chaos.book)
    return {
        "seconds": round(time.time() - chaos.started_at, 1),
        "kills": len(chaos.kills),
        "kills_by_host": dict(Counter(kill.host for kill in chaos.kills)),
        "kills_by_kind": {
            kind: {"times": times, "unknown": left, "most_at_once": most}
            for kind, (times, left, most) in unknowns.by_kind_of_kill().items()
        },
        "calls": {
            kind.name: {
                "rows": kind.rows().count(),
                "in_the_book": calls[kind.name],
                "unknown": unknowns.by_kind[kind.name],
                "kills_while_under_way": chaos.under_way[kind.name],
                "states": dict(Counter(kind.rows().values_list("state", flat=True))),
            }
            for kind in CALL_KINDS
        },
        "unknown": sum(unknowns.by_kind.values()),
        "most_unknown_by_one_kill": unknowns.most_at_once(),
        "allowed_by_one_kill": unknowns.allowed_at_once(),
        "seconds_until_nothing_waited": _since(last, chaos.drained_at),
        "seconds_until_nothing_was_open": _since(last, chaos.settled_at),
        "hung_clusters": sum(host.hung for host in chaos.hosts),
    }


def print_figures(found: dict[str, Any]) -> None:
    print("  call                   rows  in the book  unknown  kills while in flight")
    for name, one in found["calls"].items():
        numbers = f"{one['rows']:6} {one['in_the_book']:12} {one['unknown']:8}"
        print(f"  {name:20} {numbers} {one['kills_while_under_way']:10}")
    print("  killed      times  unknown  most at once")
    for kind, one in found["kills_by_kind"].items():
        print(f"  {kind:10} {one['times']:6} {one['unknown']:8} {one['most_at_once']:13}")
    print(f"  kills by host: {found['kills_by_host']}; hung clusters: {found['hung_clusters']}")
    print(
        f"  most unknown by one kill: {found['most_unknown_by_one_kill']} of"
        f" {found['allowed_by_one_kill']}, twice the calls in flight of all accounts"
    )
    print(
        f"  from the last kill until nothing waited {found['seconds_until_nothing_waited']} s,"
        f" until nothing was open {found['seconds_until_nothing_was_open']} s;"
        f" {found['seconds']} s in all"
    )


def _since(last: float, moment: float | None) -> float | None:
    return None if moment is None else round(moment - last, 1)


def _accepted(book: SandboxBook) -> Counter[str]:
    """The number of calls of each kind in the sandbox's book."""
    by_message = outcomes.accepted_messages(book)
    found = Counter(
        {
            CHECK.name: sum(book.checks.values()),
            ORDER.name: sum(map(len, book.orders.values())),
            CANCEL.name: sum(book.cancels.values()),
        }
    )
    for kind in _message_kinds():
        found[kind.name] = sum(by_message[pk] for pk in kind.rows().values_list("pk", flat=True))
    return found


def _message_kinds() -> tuple[CallKind, ...]:
    return tuple(one for one in CALL_KINDS if one not in (CHECK, ORDER, CANCEL))
