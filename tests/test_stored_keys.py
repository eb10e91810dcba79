"""Logs and reasons hold keys and staff's own words, and no sentence of the code.

The type `Stored` keeps plain strings out where mypy sees them. These tests find what it cannot see:
who makes a `Stored`, and who writes to a log or to a column of reasons.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tests.test_modules import ROOT, product_modules

MAKERS: Final = {"core/stored_texts.py", "core/admin/reasons.py"}
"""The only modules that may turn a string into a `Stored`."""
STORED: Final = {"change_message", "settled_because", "explained_because", "stored_title"}
"""Columns and fields that hold stored texts."""
TRANSLATED: Final = {"_", "gettext", "pgettext", "ngettext", "gettext_lazy", "pgettext_lazy"}
APPS: Final = ("core", "messaging", "otp", "providers", "rentals", "smsportal")


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in product_modules():
        name = str(path.relative_to(ROOT))
        if name.startswith(APPS):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def is_sentence(node: ast.expr) -> bool:
    """Whether the value is a text of the code, or its translation."""
    match node:
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.JoinedStr() | ast.BinOp(op=ast.Mod() | ast.Add()):
            return True
        case ast.Call(func=ast.Name(id=name), args=args):
            return name in TRANSLATED or (name == "str" and any(map(is_sentence, args)))
        case ast.BoolOp(values=values):
            return any(map(is_sentence, values))
        case ast.IfExp(body=body, orelse=orelse):
            return is_sentence(body) or is_sentence(orelse)
    return False


def sentences_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                name = ast.unparse(func).rpartition(".")[2]
                logged = args if name in ("log_change", "log_export", "log") else []
                named = [one.value for one in keywords if one.arg in STORED]
                reasons = [one.value for one in keywords if one.arg in ("because", "reason")]
                acts = reasons if name in ("record_act", "begin", "adopt", "mark_not_made") else []
                found = [*logged, *named, *acts]
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if name in STORED:
                found = [value]
            case _:
                continue
        yield from (f"{node.lineno}: {ast.unparse(one)}" for one in found if is_sentence(one))


def test_no_log_and_no_reason_gets_a_sentence() -> None:
    found = [f"{name}:{line}" for name, tree in trees() for line in sentences_in(tree)]
    assert found == []


def test_sentences_are_found_in_every_form() -> None:
    code = """
log_change(request, [one], "Paused")
log_export(request, Model, f"Exported {n} rows")
self.log(one, _("Paused") % {"n": n})
LogEntry.objects.create(change_message=str(_("Paused")))
record_act("keys.accept", by=None, reason=reason or "By hand")
row.settled_because = "Seen there" if seen else because
"""
    assert len(list(sentences_in(ast.parse(code)))) == 6


def test_only_the_two_makers_turn_a_string_into_a_stored_text() -> None:
    found = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Stored"
    }
    assert found == MAKERS


def test_log_entries_are_written_in_two_places() -> None:
    """Elsewhere, a page could write a sentence past `log_change` and `log_export`."""
    found = {
        str(path.relative_to(ROOT))
        for path in product_modules()
        if "LogEntry.objects.create" in path.read_text(encoding="utf-8")
        or "LogEntry.objects.log_action" in path.read_text(encoding="utf-8")
        or " LogEntry(\n" in path.read_text(encoding="utf-8")
    }
    assert found == {"core/admin/actions.py", "rentals/hand_overs.py"}


def test_every_key_is_declared_with_a_constant() -> None:
    """So that the list of keys is complete once all modules are imported."""
    odd = [
        f"{name}:{node.lineno}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "declare"
        and not isinstance(node.args[0], ast.Constant)
    ]
    assert odd == []
