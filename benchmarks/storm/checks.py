"""After the storm: what must hold, by our rows and by the provider's own book."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from pathlib import Path

from messaging.models import Message
from providers.models import ApiCall
from providers.sandbox.remote import Remote

from ..clusters import calls_of
from .batches import differences
from .plan import Kill
from .weather import Storm

FAULT = re.compile(r"^Traceback \(most recent call last\):|\b(?:ERROR|CRITICAL)\b")
EXPECTED = re.compile(r"reincarnated|ended|killed")


def report(storm: Storm, remote: Remote) -> list[str]:
    """Print what happened; return what should not have."""
    rows = {row.reference: row for row in Message.objects.all()}
    accepted = Counter(
        str(call["reference"]) for call in calls_of(remote) if call["accepted"] is True
    )
    _print_states(rows.values(), accepted)
    return [
        *_sent_twice(remote, accepted),
        *_not_accounted_for(rows, accepted),
        *_never_ended(storm),
        *differences(),
        *_journal_differs(),
        *_too_many_unknown(storm, accepted),
    ]


def _print_states(rows, accepted: Counter[str]) -> None:  # type: ignore[no-untyped-def]
    states: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for row in rows:
        word = f"{row.state} {row.reason}".strip()
        states[word] += 1
        taken[word] += row.reference in accepted
    print("  state                     messages   accepted by the provider")
    for state, number in states.most_common():
        print(f"  {state:24} {number:9} {taken[state]:10}")


def _sent_twice(remote: Remote, accepted: Counter[str]) -> list[str]:
    repeated = remote.state()["repeated"]
    twice = {reference for reference, times in accepted.items() if times > 1}
    twice.update(map(str, repeated) if isinstance(repeated, list) else ())
    print(f"  accepted more than once: {len(twice)}")
    return [f"message {reference} was accepted more than once" for reference in sorted(twice)]


def _not_accounted_for(rows: dict[str, Message], accepted: Counter[str]) -> list[str]:
    found = [f"the provider accepted {one}, which we do not know" for one in accepted - rows.keys()]
    for reference, row in rows.items():
        if row.state == "cancelled" and row.batch_id is not None and not accepted[reference]:
            continue
        if row.state not in ("submitted", "unknown"):
            found.append(
                f"message {row.pk} ended {row.state}, accepted {accepted[reference]} times"
            )
        elif row.state == "submitted" and accepted[reference] != 1:
            found.append(f"message {row.pk} is submitted, accepted {accepted[reference]} times")
    return found


def _never_ended(storm: Storm) -> list[str]:
    last = storm.kills[-1].at if storm.kills else storm.started_at
    if storm.drained_at is None:
        return ["the queue did not drain by itself"]
    print(f"  from the last kill until nothing waited: {storm.drained_at - last:.1f} s")
    if storm.settled_at is None:
        return ["what killed loops left was not settled"]
    print(f"  from the last kill until nothing was open: {storm.settled_at - last:.1f} s")
    return []


def _journal_differs() -> list[str]:
    """A result and its journal row are one transaction."""
    calls = Counter(ApiCall.objects.values_list("subject", flat=True))
    submitted = Message.objects.filter(state="submitted").values_list("pk", flat=True)
    wrong = [pk for pk in submitted if calls[f"message:{pk}"] != 1]
    return [f"message {pk} has {calls[f'message:{pk}']} journal rows" for pk in wrong]


def _too_many_unknown(storm: Storm, accepted: Counter[str]) -> list[str]:
    """At most twice the calls in flight for each kill and account."""
    found = []
    kills = sorted([*storm.kills, *storm.endings], key=lambda kill: kill.at)
    times = [kill.at for kill in kills]
    left: Counter[tuple[int, int]] = Counter()
    taken = 0
    for row in Message.objects.filter(state="unknown"):
        taken += row.reference in accepted
        index = bisect_left(times, storm.handed_over.get(row.pk, float("inf")))
        if index == len(times):
            found.append(f"message {row.pk} is unknown ({row.reason}) without a kill")
        else:
            left[index, row.account_id] += 1
    allowed = {account.pk: 2 * account.in_flight for account in storm.accounts}
    for (index, account), number in left.items():
        if number > allowed[account]:
            what = f"a kill ({kills[index].kind}) left {number} messages unknown"
            found.append(f"{what} on an account with {allowed[account] // 2} calls in flight")
    _print_kills(storm, kills, left, sum(allowed.values()))
    return found


def _print_kills(
    storm: Storm, kills: list[Kill], left: Counter[tuple[int, int]], allowed: int
) -> None:
    by_kill: Counter[int] = Counter()
    for (index, _), number in left.items():
        by_kill[index] += number
    print("  killed      times   unknown   most at once")
    for kind, times in Counter(kill.kind for kill in kills).most_common():
        numbers = [by_kill[i] for i, kill in enumerate(kills) if kill.kind == kind]
        print(f"  {kind:10} {times:6} {sum(numbers):9} {max(numbers):14}")
    for host in storm.hosts:
        if host.hung:
            print(f"  {host.name} hung and was killed {host.hung} times")
    print(f"  allowed at once: {allowed}, twice the calls in flight of all accounts")


def faults_in(log: Path) -> list[str]:
    """What the clusters logged as a fault of theirs."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    wrong = [line for line in lines if FAULT.search(line) and not EXPECTED.search(line)]
    counted = Counter(re.sub(r"^\S+ \S+ |[0-9a-f-]{8,}", "", line) for line in wrong)
    for line, times in counted.most_common(8):
        print(f"  logged {times} times on {log.stem}: {line[:150]}")
    return []
