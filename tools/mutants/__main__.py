"""`make mutants`: inserts faults into the code, one at a time, and lists those no test detects."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from .equivalents import LIST, Change, change_of, listed_equivalents
from .parts import ROOT, Part, all_parts, chosen_parts
from .runner import Runner, runner
from .session import check_operators, in_order, mutated_text, open_session, spec

RESULTS: Final = ROOT / ".mutants"
BATCH: Final = 30


@dataclass
class Result:
    part: Part
    tried: int = 0
    survivors: list[Change] = field(default_factory=list)
    """Survivors without a reason in docs/developers/mutants.md."""
    equivalent: list[Change] = field(default_factory=list)
    minutes: float = 0.0

    def __str__(self) -> str:
        killed = self.tried - len(self.survivors) - len(self.equivalent)
        return (
            f"{self.part.name:18} {self.tried:5} mutants ({self.part.draw}), {killed} killed,"
            f" {len(self.equivalent)} equivalent, {len(self.survivors)} survived,"
            f" {self.minutes:.1f} min"
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(all_parts()))
    parser.add_argument("--seed", type=int, help="use another seed for samples")
    parser.add_argument("--again", action="store_true", help="also try killed mutants again")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - all_parts().keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    # So that what was made in memory is removed again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    check_operators()
    results = [
        _try(part, again=options.again) for part in chosen_parts(options.parts, options.seed)
    ]
    print("\n== mutants ==", *results, sep="\n")
    return 1 if any(result is None or result.survivors for result in results) else 0


def _try(part: Part, *, again: bool) -> Result | None:
    print(f"== {part.name}: {', '.join(part.modules)} ==", flush=True)
    started = time.monotonic()
    session, listed = open_session(part), listed_equivalents()
    try:
        if items := _to_try(session, listed, again=again):
            with runner(part) as tests:
                if not (tests.prepare() and _try_each(session, items, tests)):
                    print(tests.output, "\nThe tests fail without any fault.")
                    return None
        result = _result(part, session, listed)
    finally:
        session.close()
    result.minutes = (time.monotonic() - started) / 60
    _write(result, listed)
    return result


def _to_try(session: WorkDB, listed: set[Change], *, again: bool) -> list[WorkItem]:
    """The pending mutants, and the survivors, which a new test may detect now."""
    survivors = [
        item
        for item, result in session.completed_work_items
        if result.worker_outcome is WorkerOutcome.NORMAL
        and (again or (not result.is_killed and _change(item) not in listed))
    ]
    return sorted([*session.pending_work_items, *survivors], key=in_order)


def _try_each(session: WorkDB, items: Sequence[WorkItem], tests: Runner) -> bool:
    """Try mutants in batches.

    A batch counts only if the tests pass without a fault afterwards, because tests that fail for
    another reason would kill every mutant.
    """
    for start in range(0, len(items), BATCH):
        batch = {item.job_id: _try_one(item, tests) for item in items[start : start + BATCH]}
        if not tests.passes():
            return False
        for job_id, result in batch.items():
            session.set_result(job_id, result)
        print(f"{start + len(batch)} of {len(items)}", flush=True)
    return True


def _try_one(item: WorkItem, tests: Runner) -> WorkResult:
    mutation = spec(item)
    survives = tests.survives(str(mutation.module_path), mutated_text(mutation))
    if survives:
        print(_change(item), flush=True)
    outcome = TestOutcome.SURVIVED if survives else TestOutcome.KILLED
    return WorkResult(WorkerOutcome.NORMAL, output=tests.output[-4000:], test_outcome=outcome)


def _change(item: WorkItem) -> Change:
    mutation = spec(item)
    return change_of(str(mutation.module_path), mutated_text(mutation))


def _result(part: Part, session: WorkDB, listed: set[Change]) -> Result:
    result = Result(part)
    for item, done in session.completed_work_items:
        if done.worker_outcome is not WorkerOutcome.NORMAL:
            continue
        result.tried += 1
        if not done.is_killed:
            change = _change(item)
            (result.equivalent if change in listed else result.survivors).append(change)
    return result


def _write(result: Result, listed: set[Change]) -> None:
    path = RESULTS / f"{result.part.name}.md"
    path.write_text("\n".join([f"{result}\n", *map(str, sorted(result.survivors))]))
    print(result)
    if result.survivors:
        print(f"Survivors: {path.relative_to(ROOT)}")
    here = {change for change in listed if change.module in result.part.modules}
    if result.part.sample is None and (gone := here - set(result.equivalent)):
        print(f"{LIST.relative_to(ROOT)} lists what does not survive:", *sorted(gone), sep="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
