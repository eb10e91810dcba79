"""State machines as tables, and the two ways to move a row: `move` for many, `set` for one.

Each is a conditional UPDATE from the state that was read, since SQLite has no row locks. No
other code assigns a state (tests/core/test_state_assignments.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

State = TypeVar("State", bound=str)


class ForbiddenMove(Exception):
    """A move that the table does not allow: a defect of the caller, not of the data."""


@dataclass(frozen=True)
class StateTable(Generic[State]):
    """Which state may follow which. `moves` names every state as a key."""

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
        *,
        sources: Iterable[State] | None = None,
        **changes: Any,
    ) -> int:
        """Move those of `rows` that may go to `target`; say how many did.

        One UPDATE, so that of two who try at once one finds nothing left to move.
        """
        chosen = self.sources_of(target) if sources is None else frozenset(sources)
        self.check(target, chosen)
        return rows.filter(state__in=sorted(chosen)).update(state=target, **changes)

    def set(self, row: models.Model, target: State, **changes: Any) -> bool:
        """Move one row from the state that `row` was read in; say whether it moved.

        If it moved, `row` has the new state and the changes. If another process moved it first,
        neither the table nor `row` is touched. Raises `ForbiddenMove` if the table has no such
        move.
        """
        source: State = getattr(row, "state")  # noqa: B009 - no type of Django's names the field
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
