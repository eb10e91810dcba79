"""Survivors without an observable effect, each with its reason: docs/developers/mutants.md.

Module, function and changed lines identify a survivor, so that lines may move.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from typing import Final

from .parts import ROOT

LIST: Final = ROOT / "docs" / "developers" / "mutants.md"
_HEADING: Final = re.compile(r"^(##|###) `(.+)`$")


@dataclass(frozen=True, order=True)
class Change:
    module: str
    function: str
    """`Class.method`; empty at module level."""
    lines: tuple[str, ...]
    """Diff lines without indentation."""

    def __str__(self) -> str:
        diff = "\n".join(self.lines)
        return f"## `{self.module}`\n\n### `{self.function or '(top)'}`\n\n```diff\n{diff}\n```\n"


def change_of(module: str, mutated: str) -> Change:
    """The change that `mutated` makes to a module."""
    text = (ROOT / module).read_text(encoding="utf-8")
    old, new = text.splitlines(), mutated.splitlines()
    compared = difflib.unified_diff(old, new, n=0, lineterm="")
    lines = [each for each in compared if not each.startswith(("---", "+++", "@@"))]
    pairs = enumerate(zip(old, new, strict=False), 1)
    first = next((number for number, (one, other) in pairs if one != other), len(old))
    return Change(module, _function_at(text, first), tuple(map(_stripped, lines)))


def _stripped(line: str) -> str:
    return line[0] + line[1:].strip()


def _function_at(text: str, line: int) -> str:
    names = []
    node: ast.AST = ast.parse(text)
    while inner := [
        child
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.FunctionDef | ast.ClassDef)
        and child.lineno <= line <= (child.end_lineno or 0)
    ]:
        node = inner[0]
        names.append(inner[0].name)
    return ".".join(names)


def listed_equivalents() -> set[Change]:
    """What docs/developers/mutants.md lists. Raises `ValueError` for an entry without a reason."""
    found: set[Change] = set()
    module = function = ""
    open_blocks: list[Change] = []
    diff: list[str] | None = None
    for line in [*LIST.read_text(encoding="utf-8").splitlines(), "## `end`"]:
        heading = _HEADING.match(line)
        if diff is not None:
            if line == "```":
                open_blocks.append(Change(module, function, tuple(map(_stripped, diff))))
                diff = None
            else:
                diff.append(line)
        elif line == "```diff":
            diff = []
        elif heading and open_blocks:
            raise ValueError(f"{LIST.name}: no reason is given for {open_blocks[-1]}")
        elif heading and heading[1] == "##":
            module, function = heading[2], ""
        elif heading:
            function = heading[2] if heading[2] != "(top)" else ""
        elif line.strip():
            found.update(open_blocks)
            open_blocks = []
    return found
