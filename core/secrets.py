"""A value that cannot be printed by accident. It needs no Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

DOTS: Final = "••••••"


class Secret:
    """Holds a secret, or the way to decrypt one. Only `reveal()` gives it away.

    Decryption happens at `reveal()`, so that one row that cannot be read breaks
    neither a list nor a delete. It cannot be pickled: nothing secret belongs in a
    queue argument or a cache.
    """

    __slots__ = ("_reveal",)

    def __init__(self, value: str | Callable[[], str]) -> None:
        self._reveal: Callable[[], str] = value if callable(value) else lambda: value

    def reveal(self) -> str:
        return self._reveal()

    def __str__(self) -> str:
        return DOTS

    def __repr__(self) -> str:
        return f"Secret({DOTS})"

    def __format__(self, spec: str) -> str:
        return format(DOTS, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled.")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)
