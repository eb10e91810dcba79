"""Searches the syntax trees of product code for states that change without their table.

Only `StateTable.move` and `StateTable.set` may change a state. Creating a row in a state is not a
change. SQL may set a state only in a function that checks the table for that state.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
APPS: Final = (
    "core",
    "providers",
    "messaging",
    "otp",
    "rentals",
    "alerts",
    "audit",
    "figures",
    "lookup",
    "smsportal",
)
EXCLUDED: Final = {
    "migrations": "a migration records the tables of its time",
    "sandbox": "the orders of a sandbox provider are not rows of the portal",
}
"""Excluded folders, each with the reason."""
ALLOWED: Final = {
    ("core/states.py", "move"): "changes many rows",
    ("core/states.py", "set"): "changes one row",
    (
        "messaging/apply_report.py",
        "_store_report",
    ): "stores what a report states; a repeat stores the same",
}
"""Exempt functions, each with the reason."""
_WRITES: Final = ("update", "bulk_update", "save", "bulk_create", "update_or_create")
WRITES: Final = frozenset(_WRITES) | {f"a{name}" for name in _WRITES}
LISTS: Final = ("fields", "update_fields", "defaults")
BULK: Final = ("bulk_update", "abulk_update")
COLLECTION: Final = (ast.Dict, ast.Tuple, ast.List, ast.Set)
SQL_ASSIGNMENT: Final = re.compile(r"""(?:^|\bset\b|,)\s*(?:\w+\.)?"?state"?\s*=\s*(\S*)""", re.I)
CONDITION: Final = re.compile(r"\b(?:where|and|or|when|not|on)\s*$", re.I)


class Violation(NamedTuple):
    function: str
    line: int
    kind: str


Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_violations(
    source: str, imported_names: frozenset[str] = frozenset()
) -> Iterator[Violation]:
    """Each place in `source` that assigns a state without checking a table.

    `imported_names`: names of collections in other modules that contain "state".
    """
    tree = ast.parse(source)
    named = _collections_with_a_state(tree) | imported_names
    for function, node in _with_function(tree, None):
        kind = _kind_of(node, function, named)
        if kind:
            yield Violation(function.name if function else "", getattr(node, "lineno", 0), kind)


def _with_function(
    node: ast.AST, function: Function | None
) -> Iterator[tuple[Function | None, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        yield function, child
        inner = child if isinstance(child, Function) else function
        # The parts of an f-string are examined together.
        if not isinstance(child, ast.JoinedStr):
            yield from _with_function(child, inner)


def _kind_of(node: ast.AST, function: Function | None, named: frozenset[str]) -> str:
    match node:
        case ast.Attribute(attr="state", ctx=ast.Store() | ast.Del()):
            return "attribute"
        case ast.Call():
            return _kind_of_call(node, named)
        case ast.JoinedStr() | ast.Constant(value=str()):
            return "" if _is_prose(node) else _kind_of_sql(_text_of(node), function)
    return ""


def _kind_of_call(call: ast.Call, named: frozenset[str]) -> str:
    name = _name_of(call.func)
    if name in ("setattr", "__setattr__"):
        return "setattr" if any(map(_is_state, call.args)) else ""
    keywords = call.keywords if name in WRITES else []
    if any(one.arg == "state" for one in keywords):
        return name
    # Arguments that hold several fields: `**changes`, a list of fields, `defaults`.
    values = [one.value for one in keywords if one.arg in (None, *LISTS)]
    values += call.args[1:] if name in BULK else []
    return f"{name} of fields" if any(_holds_state(one, named) for one in values) else ""


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return str(name)
    return ""


def _is_state(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == "state"


def _holds_state(node: ast.AST, named: frozenset[str]) -> bool:
    """Whether `node` is a collection that contains "state", or the name of one."""
    if isinstance(node, ast.Dict):
        return any(map(_is_state, node.keys))
    within = list(ast.walk(node))
    return any(map(_is_state, within)) or any(_name_of(one) in named for one in within)


def _collections_with_a_state(tree: ast.AST) -> frozenset[str]:
    """Names, anywhere in the module, of collections that contain "state"."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if isinstance(value, COLLECTION) and _holds_state(value, frozenset()):
                found.add(name)
            case ast.Subscript(value=ast.Name(id=name), slice=key, ctx=ast.Store()):
                found |= {name} if _is_state(key) else set()
    return frozenset(found)


# --- SQL -----------------------------------------------------------------------------


def _text_of(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    pieces = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return "".join(map(str, pieces))


def _is_prose(node: ast.AST) -> bool:
    """Whether a text is prose, not SQL: it ends with a full stop."""
    return isinstance(node, ast.Constant) and str(node.value).rstrip().endswith(".")


def _kind_of_sql(text: str, function: Function | None) -> str:
    for found in SQL_ASSIGNMENT.finditer(text):
        if CONDITION.search(text[: found.start()]):
            continue
        target = found[1].strip("',)")
        if function is None or target not in _checked_in(function):
            return "SQL"
    return ""


def _checked_in(function: Function) -> set[str]:
    """The states that a function checks with a table: `TABLE.check(S.CLAIMED, …)`."""
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return {
        call.args[0].attr.lower()
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "check"
        and ast.unparse(call.func.value).endswith("_STATES")
        and call.args
        and isinstance(call.args[0], ast.Attribute)
    }


# --- the search ----------------------------------------------------------------------


def product_files() -> list[Path]:
    files = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    return [path for path in files if EXCLUDED.keys().isdisjoint(path.relative_to(ROOT).parts)]


def all_violations() -> list[tuple[str, Violation]]:
    sources = {path: path.read_text() for path in product_files()}
    constants: set[str] = set()
    for source in sources.values():
        named = _collections_with_a_state(ast.parse(source))
        constants |= {name for name in named if name.isupper()}
    return [
        (path.relative_to(ROOT).as_posix(), violation)
        for path, source in sources.items()
        for violation in find_violations(source, frozenset(constants))
    ]


def test_product_code_moves_a_state_only_through_its_table() -> None:
    found = [
        f"{path}:{violation.line} ({violation.kind})"
        for path, violation in all_violations()
        if (path, violation.function) not in ALLOWED
    ]
    assert not found, (
        "These assign a state without its table. Use StateTable.move for many rows or"
        f" StateTable.set for one: {', '.join(found)}"
    )


def test_every_exception_is_still_needed() -> None:
    needed = {(path, violation.function) for path, violation in all_violations()}
    assert not ALLOWED.keys() - needed


@pytest.mark.parametrize(
    "snippet",
    [
        "row.state = 'sent'",
        "row.state, row.reason = 'sent', ''",
        "row.state: str = 'sent'",
        "row.state += 'x'",
        "del row.state",
        "for row.state in states: pass",
        "with opened() as row.state: pass",
        "setattr(row, 'state', 'sent')",
        "object.__setattr__(row, 'state', 'sent')",
        "rows.update(state='sent')",
        "rows.filter(pk=1).update(reason='', state='sent')",
        "await rows.aupdate(state='sent')",
        "rows.update(**{'state': 'sent'})",
        "changes = {'state': 'sent'}\nrows.update(**changes)",
        "changes: dict = {'state': 'sent'}\nrows.update(**changes)",
        "changes = {}\nchanges['state'] = 'sent'\nrows.update(**changes)",
        "Row.objects.bulk_update(rows, ['state'])",
        "Row.objects.bulk_update(rows, fields=('reason', 'state'))",
        "row.save(update_fields=['state', 'reason'])",
        "row.save(update_fields=[*fields, 'state'])",
        "row.save(update_fields={'state'})",
        "Row.objects.bulk_create(rows, update_conflicts=True, update_fields=('state',))",
        "SAVED: Final = ('state', 'reason')\nrow.save(update_fields=SAVED)",
        "row.save(update_fields=answers.SAVED)",
        "Row.objects.update_or_create(pk=1, defaults={'state': 'sent'})",
        "run('UPDATE row SET state = %s')",
        "run('update row set reason = %s, state = %s')",
        'run(\'UPDATE "row" SET "state" = %s\')',
        "run(f\"UPDATE {TABLE} SET state = 'sent' WHERE state = 'queued'\")",
        "run('''UPDATE row\n   SET tries = 1,\n       state = 'sent' ''')",
        "update_all(\"state = 'sent', reason = ''\")",
        "def f():\n    T_STATES.check(S.CLAIMED, ())\n    run(\"UPDATE row SET state = 'sent'\")",
        "def f():\n    other.check(S.SENT, ())\n    run(\"UPDATE row SET state = 'sent'\")",
        "T_STATES.check(S.SENT, ())\ndef f():\n    run(\"UPDATE row SET state = 'sent'\")",
    ],
)
def test_assignment_without_the_table_is_found(snippet: str) -> None:
    assert len(list(find_violations(snippet, frozenset({"SAVED"})))) == 1


@pytest.mark.parametrize(
    "snippet",
    [
        "row = Row(state='queued')",
        "Row.objects.create(state='queued')",
        "Row.objects.bulk_create([Row(state='queued')])",
        "STATES.move(rows, 'sent', reason='')",
        "STATES.set(row, 'sent', reason='')",
        "rows.filter(state='queued').update(reason='')",
        "rows.update(reason='', provider_state='x')",
        "row.save(update_fields=['reason'])",
        "SHOWN = ('reason',)\nrow.save(update_fields=SHOWN)",
        "row.provider_state = 'x'",
        "state = row.state",
        "page = {'state': row.state}\nrender(page)",
        "row.refresh_from_db(fields=['state'])",
        "run(\"SELECT id FROM row WHERE state = 'queued' AND state = %s\")",
        "run(\"UPDATE row SET reason = '' WHERE id = 1 AND state = 'queued'\")",
        "run(\"UPDATE row SET tries = CASE WHEN row.state = 'unmatched' THEN 0 ELSE 1 END\")",
        "def f():\n    T_STATES.check(S.SENT, ())\n    run(\"UPDATE row SET state = 'sent'\")",
    ],
)
def test_code_that_moves_no_row_is_not_reported(snippet: str) -> None:
    assert not list(find_violations(snippet))
