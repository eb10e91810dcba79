"""`make guards`: takes away one guard after the other, and says which test notices.

The list guards.toml is written by hand: what protects money, privacy and the sign-in.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from .parts import ROOT, Part
from .runner import Runner, runner

TABLE: Final = Path(__file__).with_name("guards.toml")
EACH: Final = "EACH"
"""Stands for one word after the other of `each`."""
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Guard:
    group: str
    what: str
    """What is broken, in words."""
    module: str
    old: str
    """Stands in the module exactly once."""
    new: str
    tests: tuple[str, ...]

    def mutated_text(self) -> str:
        """Raises `ValueError` if the module no longer contains the guard, or contains it twice."""
        text = (ROOT / self.module).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.module}: stands there {text.count(self.old)} times: {self.old}"
            )
        return text.replace(self.old, self.new)


def all_guards() -> list[Guard]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [
        Guard(
            group=name,
            what=one["what"].replace(EACH, word),
            module=one["module"],
            old=one["old"],
            new=one["new"].replace(EACH, word),
            tests=tuple(one.get("tests", group["tests"])),
        )
        for name, group in table.items()
        for one in group["guard"]
        for word in one.get("each", ("",))
    ]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make guards", description=__doc__)
    groups = list(dict.fromkeys(guard.group for guard in all_guards()))
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(groups))
    parser.add_argument("--only", nargs="*", help="only guards with one of these in their words")
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - set(groups):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    # So that what was made in memory is removed again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = options.only or [""]
    chosen = [one for one in all_guards() if any(words in one.what for words in wanted)]
    results = [
        _try_group(name, [guard for guard in chosen if guard.group == name])
        for name in options.groups or groups
    ]
    return 0 if all(results) else 1


def _try_group(name: str, guards: list[Guard]) -> bool:
    """Whether a test noticed each of these."""
    if not guards:
        return True
    tests = tuple(dict.fromkeys(test for guard in guards for test in guard.tests))
    modules = tuple(dict.fromkeys(guard.module for guard in guards))
    part = Part(f"guards-{name}", modules, tests)
    print(f"== {name} ==", flush=True)
    with runner(part) as runs:
        if not runs.prepare():
            print(runs.output, "\nThe tests fail while every guard is there.")
            return False
        noticed = [_try(guard, runs) for guard in guards]
        runs.part = part
        if not runs.passes():
            print(runs.output, "\nThe tests fail while every guard is there.")
            return False
    return all(noticed)


def _try(guard: Guard, runs: Runner) -> bool:
    runs.part = replace(runs.part, tests=guard.tests)
    survives = runs.survives(guard.module, guard.mutated_text())
    print(f"{'SURVIVES' if survives else 'noticed '} {guard.what}", flush=True)
    if not survives:
        print(f"         {_noticed_by(runs.output)}", flush=True)
    return not survives


def _noticed_by(output: str) -> str:
    found: Iterable[str] = dict.fromkeys(_FAILED.findall(output))
    return ", ".join(found) or output.strip()[-300:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
