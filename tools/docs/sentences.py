"""Every sentence that the portal can say at its start, in its log, or at a backup, from its code.

A value within a sentence is “…”.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CHECKS: Final = frozenset({"Error", "Caution"})
LEVELS: Final = frozenset({"warning", "error", "critical", "exception"})
STOPS: Final = frozenset({"AddressTaken", "KeysDoNotFit"})
SPEAKERS: Final = frozenset(
    {
        "smsportal/startup/database_errors.py",
        "smsportal/startup/key_comparison.py",
        "smsportal/startup/preflight.py",
        "smsportal/processes/programs.py",
        "smsportal/processes/supervisor.py",
    }
)
"""Modules that yield, return or report whole sentences."""
PARTS: Final = ("start", "setting", "log", "backup")
VALUE: Final = re.compile(r"%[+\d.]*[sdrfg]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`part` is one of `PARTS`; `code` is the id of a check, or empty."""

    part: str
    text: str
    code: str = ""


@cache
def find_sentences() -> list[Sentence]:
    """Every sentence once, in the order of `PARTS` and of the files."""
    found: dict[str, Sentence] = {}
    for path in _modules():
        for sentence in sentences_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))):
            found.setdefault(sentence.text, sentence)
    return sorted(found.values(), key=lambda one: (PARTS.index(one.part), one.code))


def _modules() -> Iterator[Path]:
    for app in sorted(ROOT.glob("*/apps.py")):
        paths = sorted(app.parent.rglob("*.py"))
        yield from (path for path in paths if "migrations" not in path.parts)


def sentences_in(source: str, name: str) -> Iterator[Sentence]:
    """`name` is the path of the module, which decides what counts."""
    tree = ast.parse(source)
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, name, constants)
        elif (
            name in SPEAKERS
            and isinstance(node, ast.Yield | ast.Return)
            and (text := _text(node.value))
        ):
            yield Sentence("start", text)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the module's names in capitals stand for."""
    named = (node for node in tree.body if isinstance(node, ast.AnnAssign) and node.value)
    return {_name(node.target): node.value for node in named if node.value}


def _of_call(node: ast.Call, name: str, constants: dict[str, ast.expr]) -> Iterator[Sentence]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
    first = node.args[0] if node.args else None
    text = _text(constants.get(_name(first), first) if first else None)
    if not text:
        return
    if called in CHECKS and (code := _keyword(node, "id")):
        yield Sentence("start", text, code)
    elif called in STOPS or (called == "report" and name in SPEAKERS):
        yield Sentence("start", text)
    elif called == "Wrong" and name.endswith("setting_kinds.py"):
        yield Sentence("setting", text)
    elif called == "BackupError":
        yield Sentence("backup", text)
    elif called in LEVELS and _is_log(node.func):
        yield Sentence("log", text)


def _is_log(function: ast.expr) -> bool:
    owner = function.value if isinstance(function, ast.Attribute) else function
    name = owner.attr if isinstance(owner, ast.Attribute) else _name(owner)
    return name in ("logger", "log")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _keyword(node: ast.Call, name: str) -> str:
    values = [one.value for one in node.keywords if one.arg == name]
    return _text(values[0]) if values else ""


def _text(node: ast.expr | None) -> str:
    """The sentence of a literal, with “…” for each value. Empty if it has too few words."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = VALUE.sub("…", node.value)
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    else:
        return ""
    return " ".join(text.split()) if re.search(r"\w{2,}", text) else ""
