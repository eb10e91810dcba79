"""The mutants of a part, and their results, in Cosmic Ray's session file.

A session belongs to the code of its modules. If the code changes, a new session begins;
comments and docstrings do not count.
"""

from __future__ import annotations

import ast
import hashlib
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cosmic_ray.plugins
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, WorkerOutcome, WorkItem, WorkResult

from .operators import Provider
from .parts import ROOT, Part

PROVIDER: Final = Provider()
cosmic_ray.plugins.OPERATOR_PROVIDERS["portal"] = PROVIDER

SESSIONS: Final = ROOT / ".mutants" / "sessions"
OPERATORS: Final = re.compile(
    r"portal/\w+"
    r"|core/(NumberReplacer|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak"
    r"|ExceptionReplacer|RemoveDecorator|ZeroIterationForLoop"
    # Two variants of a comparison: the shifted boundary and the opposite.
    r"|ReplaceComparisonOperator_(Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt"
    r"|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|BitOr_BitAnd"
    r"|BitAnd_BitOr)"
    r"|ReplaceUnaryOperator_(Delete_Not|Delete_Invert|USub_UAdd))"
)
"""Cosmic Ray's other operators make eleven faults of every plus, which no test distinguishes."""
TEXTS: Final = frozenset({"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"})
"""Calls whose arguments are texts for people."""
SILENT: Final = frozenset({"log", "logger", "TypeVar", "cast"})
"""Functions and objects whose calls are not mutated: logging and typing."""

Range = tuple[tuple[int, int], tuple[int, int]]


def check_operators() -> None:
    """Raise `RuntimeError` unless our operators turn their examples into the expected code."""
    for operator in PROVIDER.operators.values():
        for example in operator.examples():
            mutated = mutate_code(example.pre_mutation_code, operator(), example.occurrence)
            if mutated != example.post_mutation_code:
                raise RuntimeError(f"{operator.__name__} made {mutated!r} of {example}")


def open_session(part: Part) -> WorkDB:
    """The part's existing session, or a new one with its mutants."""
    SESSIONS.mkdir(parents=True, exist_ok=True)
    code = [_code_of(ROOT / module) for module in part.modules]
    chosen = f"{part.modules}{part.draw}{part.functions or ''}"
    digest = hashlib.sha256(f"{chosen}{code}".encode()).hexdigest()[:12]
    path = SESSIONS / f"{part.name}-{digest}.sqlite"
    is_new = not path.exists()
    session = WorkDB(str(path), WorkDB.Mode.create)
    if is_new:
        init([Path(module) for module in part.modules], session, {})
        wanted = {item.job_id for item in _drawn(part, session.work_items)}
        unwanted = [item.job_id for item in session.work_items if item.job_id not in wanted]
        session.set_multiple_results(unwanted, WorkResult(WorkerOutcome.SKIPPED))
    return session


def _code_of(module: Path) -> str:
    """The code without comments and docstrings, which no mutant touches."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(statement: ast.AST) -> bool:
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
        return False
    return isinstance(statement.value.value, str)


def _drawn(part: Part, items: tuple[WorkItem, ...]) -> list[WorkItem]:
    ranges = {Path(module): Unmutated(module) for module in part.modules}
    found = [
        item
        for item in sorted(items, key=in_order)
        if OPERATORS.fullmatch(spec(item).operator_name)
        and (not part.functions or (spec(item).definition_name or "") in part.functions)
        and not ranges[spec(item).module_path].holds(spec(item))
        and _compiles(mutated_text(spec(item)))
    ]
    if part.sample is None or part.sample >= len(found):
        return found
    return random.Random(part.seed).sample(found, part.sample)  # noqa: S311


def spec(item: WorkItem) -> MutationSpec:
    (mutation,) = item.mutations
    return mutation


def in_order(item: WorkItem) -> tuple[Any, ...]:
    mutation = spec(item)
    return (
        str(mutation.module_path),
        mutation.start_pos,
        mutation.operator_name,
        mutation.occurrence,
    )


def mutated_text(mutation: MutationSpec) -> str:
    """The text of the module with this fault."""
    operator = cosmic_ray.plugins.get_operator(mutation.operator_name)()
    text = (ROOT / mutation.module_path).read_text(encoding="utf-8")
    mutated = mutate_code(text, operator, mutation.occurrence)
    if mutated is None:
        raise LookupError(f"The session does not fit to {mutation.module_path}")
    return str(mutated)


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


class Unmutated:
    """Ranges of a module that do not affect behaviour, and so are not mutated.

    These are annotations and other types, class decorators, texts for people, and logging.
    """

    def __init__(self, module: str) -> None:
        text = (ROOT / module).read_text(encoding="utf-8")
        self._lines = text.splitlines()
        nodes = list(ast.walk(ast.parse(text)))
        self._ranges = [self._range(node) for node in _always(nodes)]
        self._texts = [self._range(node) for node in _texts(nodes)]
        self._signatures = [
            (self._range(node)[0], self._range(node.body[0])[0])
            for node in nodes
            if isinstance(node, ast.FunctionDef)
        ]

    def holds(self, mutation: MutationSpec) -> bool:
        ranges = list(self._ranges)
        if mutation.operator_name == "portal/ReplaceString":
            ranges += self._texts
        if mutation.operator_name.startswith("core/ReplaceBinaryOperator"):
            # The star before keyword-only parameters.
            ranges += self._signatures
        return any(start <= mutation.start_pos and mutation.end_pos <= end for start, end in ranges)

    def _range(self, node: Any) -> Range:
        start = node.lineno, self._column(node.lineno, node.col_offset)
        return start, (node.end_lineno, self._column(node.end_lineno, node.end_col_offset))

    def _column(self, line: int, offset: int) -> int:
        """The column in characters, as Cosmic Ray counts. `ast` counts bytes."""
        return len(self._lines[line - 1].encode()[:offset].decode())


def _always(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        elif isinstance(node, ast.ClassDef):
            yield from node.decorator_list
        elif isinstance(node, ast.Call) and _callee(node) in SILENT:
            yield node


def _texts(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        is_text = isinstance(node, ast.Call) and _callee(node) in TEXTS
        if is_text or isinstance(node, ast.Raise):
            yield node


def _callee(call: ast.Call) -> str:
    """`f` of `f(x)`, `log` of `log.info(x)`."""
    inner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return inner.id if isinstance(inner, ast.Name) else ""
