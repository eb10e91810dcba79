"""The table parts.toml: which modules are mutated, and which tests run against them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_name("parts.toml")


@dataclass(frozen=True)
class Part:
    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    """Paths or node ids for pytest."""
    sample: int | None = None
    """The number of mutants to draw; None for all."""
    seed: int = 0
    functions: tuple[str, ...] = ()
    """Only these functions of the modules; "" is the top of a module. Empty: everything."""

    @property
    def draw(self) -> str:
        """A short description of how the mutants were chosen."""
        return "all" if self.sample is None else f"{self.sample} drawn with seed {self.seed}"


def all_parts() -> dict[str, Part]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: _part(name, **columns) for name, columns in table.items()}


def _part(
    name: str,
    modules: list[str],
    tests: list[str],
    functions: list[str] | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> Part:
    if (sample is None) != (seed == 0):
        raise ValueError(f"{name}: a sample needs a seed, and nothing else does")
    return Part(name, tuple(modules), tuple(tests), sample, seed, tuple(functions or ()))


def chosen_parts(names: Iterable[str], seed: int | None) -> list[Part]:
    """The parts with these names, or all. `seed` replaces the seed of every sample."""
    parts = all_parts()
    chosen = [parts[name] for name in names] or list(parts.values())
    if seed is None:
        return chosen
    return [part if part.sample is None else replace(part, seed=seed) for part in chosen]
