"""State machines as tables, and the one way to move a row: a conditional UPDATE."""

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
