"""A value that cannot be printed by accident. Independent of Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

DOTS: Final = "••••••"


class Secret:
    """Holds a secret, or a function that decrypts one. Only `reveal()` returns it.

    Decryption happens in `reveal()`, so that an unreadable row breaks neither a list nor a delete.
    A secret cannot be pickled, because it must not reach a queue argument or a cache.
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
