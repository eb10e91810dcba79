"""Scales of charts: round steps, three or four of them, from zero unless a line asks otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import islice
from typing import Final, TypeAlias

Number: TypeAlias = int | float | Decimal

MOST_STEPS: Final = 4
_CANDIDATES: Final = 3
"""Steps of which the one is taken that leaves the least room empty."""
_ROUND: Final = tuple(Decimal(step) for step in ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8"))


@dataclass(frozen=True, slots=True)
class Scale:
    low: Decimal
    high: Decimal
    step: Decimal

    @property
    def ticks(self) -> list[Decimal]:
        """The values of the grid lines, from the top."""
        count = int((self.high - self.low) / self.step)
        return [self.high - self.step * index for index in range(count)] + [self.low]

    def height(self, value: Number) -> float:
        """Percent of the drawing's height above its bottom."""
        return float((_exact(value) - self.low) / (self.high - self.low) * 100)


def fit_scale(
    values: Iterable[Number | None], *, from_zero: bool = True, whole: bool = False
) -> Scale:
    """The tightest scale of round steps that contains the values.

    `from_zero` False lets it begin elsewhere. `whole` allows no fractions, as counts have none.
    Without values, or with zeros alone, it goes from 0 to 1. Raises `ValueError` for what is no
    finite number.
    """
    exact = [_exact(value) for value in values if value is not None]
    low, high = min(exact, default=Decimal(0)), max(exact, default=Decimal(0))
    if from_zero or low == high:
        low, high = min(low, Decimal(0)), max(high, Decimal(0))
    if low == high:
        return Scale(Decimal(0), Decimal(1), Decimal(1))
    scales = (_around(low, high, step) for step in _steps(high - low, whole=whole))
    fits = islice((one for one in scales if len(one.ticks) <= MOST_STEPS + 1), _CANDIDATES)
    return min(fits, key=lambda one: (one.high - one.low, one.step))


def _around(low: Decimal, high: Decimal, step: Decimal) -> Scale:
    bottom = (low / step).to_integral_value(ROUND_FLOOR)
    top = (high / step).to_integral_value(ROUND_CEILING)
    return Scale(bottom * step, top * step, step)


def _steps(span: Decimal, *, whole: bool) -> Iterator[Decimal]:
    """Round steps of which a few make up the span, ascending."""
    least = span / MOST_STEPS
    first = max(least.adjusted(), 0) if whole else least.adjusted()
    steps = (factor.scaleb(exponent) for exponent in range(first, first + 3) for factor in _ROUND)
    return (step for step in steps if step >= least and not (whole and step % 1))


def _exact(value: Number) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return exact
