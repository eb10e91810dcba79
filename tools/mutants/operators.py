"""Mutation operators that Cosmic Ray lacks: removals, and changes of stored words.

Its own operators change numbers, comparisons and conditions. The portal's promises rest on
conditional UPDATEs and state tables. The faults that matter here are therefore a missing condition,
column, table row or statement.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Final

from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Keyword
from parso.python.tree import Operator as Sign

Node = Any
Position = tuple[tuple[int, int], tuple[int, int]]

CONDITION_CALLS: Final = ("filter", "exclude", "Q")
"""Calls whose positional arguments are conditions. Elsewhere a missing one is a TypeError."""


class _EachPlace(Operator):
    """Mutates every place that `places` finds in a node."""

    @abstractmethod
    def places(self, node: Node) -> list[Any]:
        """What can be mutated in this node."""

    @abstractmethod
    def change(self, node: Node, place: Any) -> Node:
        """The node with this place mutated."""

    def mutation_positions(self, node: Node) -> Iterable[Position]:
        return [self._position(node, place) for place in self.places(node)]

    def mutate(self, node: Node, index: int) -> Node:
        return self.change(node, self.places(node)[index])

    def _position(self, node: Node, place: Any) -> Position:
        if isinstance(place, slice):
            parts = node.children[place]
            return parts[0].start_pos, parts[-1].end_pos
        return node.start_pos, node.end_pos


# --- removals ----------------------------------------------------------------


class RemoveStatement(_EachPlace):
    """Removes a call, a raise, an assignment to an attribute or entry, or a returned value."""

    def places(self, node: Node) -> list[Any]:
        return [slice(0, 1)] if node.type == "simple_stmt" and _substitute(node) else []

    def change(self, node: Node, place: Any) -> Node:
        prefix = node.get_first_leaf().prefix
        node.children[0] = Keyword(_substitute(node), node.start_pos, prefix=prefix)
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example("rows.update(x=1)\n", "pass\n"),
            Example("row.state = 1\n", "pass\n"),
            Example("def f():\n    return 1\n", "def f():\n    return None\n"),
        )


def _substitute(statement: Node) -> str:
    first = statement.children[0]
    if first.type == "return_stmt":
        return "" if first.children[1].get_code().strip() == "None" else "return None"
    if first.type == "expr_stmt":
        target, sign = first.children[:2]
        changes = sign.type == "operator" and sign.value != "="
        return "pass" if target.type == "atom_expr" or changes else ""
    is_bare_return = first.type == "keyword" and first.value == "return"
    is_effect = first.type in ("atom_expr", "raise_stmt", "del_stmt")
    return "pass" if is_effect or is_bare_return else ""


class RemoveArgument(_EachPlace):
    """Removes a keyword argument of a call, or a condition of a query."""

    def places(self, node: Node) -> list[Any]:
        if node.type == "trailer" and node.children[0].value == "(" and len(node.children) == 3:
            is_container = node.children[1].type == "arglist"
            return [] if is_container or not self._is_removable(node.children[1]) else [slice(1, 2)]
        if node.type != "arglist":
            return []
        return [part for part in _parts(node) if self._is_removable(node.children[part.start])]

    def change(self, node: Node, place: Any) -> Node:
        return _without(node, place)

    def _is_removable(self, argument: Node) -> bool:
        if argument.type == "argument":
            return str(argument.children[1].type) != "sync_comp_for"
        call = argument.search_ancestor("trailer")
        name = call.get_previous_leaf() if call is not None else None
        return name is not None and name.value in CONDITION_CALLS

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example("f(a, b=1, c=2)", "f(a, c=2)"),
            Example("f(a, b=1, c=2)", "f(a, b=1,)", occurrence=1),
            Example("f(b=1)", "f()"),
            Example("rows.filter(old, state=1)", "rows.filter( state=1)"),
        )


class RemoveEntry(_EachPlace):
    """Removes an entry of a dict, set, list or tuple literal."""

    def places(self, node: Node) -> list[Any]:
        if node.type in ("dictorsetmaker", "testlist_comp"):
            comprehends = any("comp_for" in child.type for child in node.children)
            return [] if comprehends else list(_parts(node))
        is_single = node.type == "atom" and node.children[0].value in "{[" and _is_single(node)
        return [slice(1, 2)] if is_single else []

    def change(self, node: Node, place: Any) -> Node:
        is_tuple = node.type == "testlist_comp" and node.parent.children[0].value == "("
        node = _without(node, place)
        if is_tuple and node.children and node.children[-1].get_code().strip() != ",":
            node.children.append(Sign(",", node.end_pos))
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example("x = {a: 1, **b}", "x = { **b}"),
            Example("x = {a: 1, **b}", "x = {a: 1,}", occurrence=1),
            Example("x = (a, b)", "x = ( b,)"),
            Example("x = (a,)", "x = ()"),
            Example("x = {a}", "x = {}"),
            Example("x = a.b([c])", "x = a.b([])"),
        )


def _is_single(atom: Node) -> bool:
    return len(atom.children) == 3 and atom.children[1].type not in (
        "dictorsetmaker",
        "testlist_comp",
    )


class RemoveOperand(_EachPlace):
    """Removes one side of `and`, `or`, `&` or `|`."""

    def places(self, node: Node) -> list[Any]:
        if node.type not in ("or_test", "and_test", "expr", "and_expr"):
            return []
        return [slice(index, index + 1) for index in range(0, len(node.children), 2)]

    def change(self, node: Node, place: Any) -> Node:
        start = max(place.start - 1, 0)
        prefix = node.get_first_leaf().prefix
        del node.children[start : start + 2]
        node.get_first_leaf().prefix = prefix
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example("x = a and b", "x = b"),
            Example("x = a | b", "x = a", occurrence=1),
        )


class RemoveFilter(_EachPlace):
    """Removes the condition of a comprehension."""

    def places(self, node: Node) -> list[Any]:
        return [slice(1, 2)] if node.type == "comp_if" else []

    def change(self, node: Node, place: Any) -> Node:
        node.children[1] = Keyword("True", node.children[1].start_pos, prefix=" ")
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("[x for x in y if x]", "[x for x in y if True]"),)


# --- replacements --------------------------------------------------------------


class ReplaceMembership(_EachPlace):
    """Swaps `in` and `not in`."""

    def places(self, node: Node) -> list[Any]:
        if node.type != "comparison":
            return []
        signs = enumerate(node.children[1::2])
        return [
            slice(2 * i + 1, 2 * i + 2)
            for i, sign in signs
            if sign.get_code().split() in (["in"], ["not", "in"])
        ]

    def change(self, node: Node, place: Any) -> Node:
        sign = node.children[place.start]
        other = "not in" if sign.get_code().strip() == "in" else "in"
        node.children[place.start] = Keyword(other, sign.start_pos, prefix=" ")
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("x = a in b", "x = a not in b"), Example("x = a not in b", "x = a in b"))


class ReplaceString(_EachPlace):
    """Changes stored words and column names, but not docstrings.

    `Unmutated` filters out texts for people.
    """

    def places(self, node: Node) -> list[Any]:
        is_docstring = node.type == "string" and node.parent.type == "simple_stmt"
        return [None] if node.type == "string" and not is_docstring else []

    def change(self, node: Node, place: Any) -> Node:
        quote = min(node.value.find(sign) for sign in "'\"" if sign in node.value)
        width = 3 if node.value[quote : quote + 3] in ('"""', "'''") else 1
        node.value = node.value[: quote + width] + "XX" + node.value[quote + width :]
        return node

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example('x = "a"', 'x = "XXa"'),)


# --- tools -------------------------------------------------------------------


def _parts(node: Node) -> Iterator[slice]:
    """The parts between the commas."""
    start = 0
    for index, child in enumerate([*node.children, None]):
        if child is None or (child.type == "operator" and child.value == ","):
            if index > start:
                yield slice(start, index)
            start = index + 1


def _without(node: Node, part: slice) -> Node:
    following = node.children[part.stop : part.stop + 1]
    has_comma = bool(following) and following[0].get_code().strip() == ","
    del node.children[part.start : part.stop + has_comma]
    return node


class Provider:
    """Cosmic Ray's interface for custom operators."""

    operators: Final[dict[str, type[Operator]]] = {
        operator.__name__: operator
        for operator in (
            RemoveStatement,
            RemoveArgument,
            RemoveEntry,
            RemoveOperand,
            RemoveFilter,
            ReplaceMembership,
            ReplaceString,
        )
    }

    def __iter__(self) -> Iterator[str]:
        return iter(self.operators)

    def __getitem__(self, name: str) -> type[Operator]:
        return self.operators[name]
