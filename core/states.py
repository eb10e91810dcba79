"""State machines as transition tables. `move` changes many rows, `set` changes one.

Both are conditional UPDATEs from the state that was read, because SQLite has no row locks. No other
code assigns a state (tests/core/test_state_assignments.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

State = TypeVar("State", bound=str)


class ForbiddenMove(Exception):
    """The table forbids the move. This is a defect of the caller, not of the data."""


@dataclass(frozen=True)
class StateTable(Generic[State]):
    """The allowed transitions. `moves` has every state as a key."""

    moves: Mapping[State, frozenset[State]]

    def sources_of(self, target: State) -> frozenset[State]:
        return frozenset(state for state, targets in self.moves.items() if target in targets)

    def is_final(self, state: State) -> bool:
        return not self.moves[state]

    def check(self, target: State, sources: Iterable[State]) -> None:
        """Raise `ForbiddenMove` unless every one of `sources` may become `target`."""
        chosen = frozenset(sources)
        forbidden = chosen - self.sources_of(target)
        if forbidden or not chosen:
            raise ForbiddenMove(f"{sorted(forbidden)} may not become {target}")

    def move(
        self,
        rows: models.QuerySet[Any],
        target: State,
        /,
        *,
        sources: Iterable[State] | None = None,
        **changes: Any,
    ) -> int:
        """Move those of `rows` that may change to `target`. Returns the number moved.

        A single UPDATE, so that of two concurrent attempts one finds no row to move. `sources`
        narrows the states to move from. Raises `ForbiddenMove` if the table forbids one of them.
        """
        chosen = self.sources_of(target) if sources is None else frozenset(sources)
        self.check(target, chosen)
        return rows.filter(state__in=sorted(chosen)).update(state=target, **changes)

    def set(self, row: models.Model, target: State, /, **changes: Any) -> bool:
        """Move one row from the state in which `row` was read. Returns whether it moved.

        If it moved, `row` has the new state and the changes. If another process moved it first,
        neither the database nor `row` changes. Raises `ForbiddenMove` if the table forbids the
        move.
        """
        source: State = getattr(row, "state")  # noqa: B009 - Django's types lack the field
        self.check(target, (source,))
        unmoved = type(row)._base_manager.filter(pk=row.pk, state=source)
        if not unmoved.update(state=target, **changes):
            return False
        for name, value in {"state": target, **changes}.items():
            setattr(row, name, value)
        # The database computed these values, so only it knows them.
        computed = [name for name, value in changes.items() if hasattr(value, "resolve_expression")]
        if computed:
            row.refresh_from_db(fields=computed)
        return True
