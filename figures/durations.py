"""Classes of durations, so that a median over any cut can be read from sums."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

BOUNDS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600)
"""Seconds. Class n holds durations below BOUNDS[n], and the last class all the others."""


def class_of(seconds: float) -> int:
    """The class of a duration, which counts to the millisecond."""
    return bisect_right(BOUNDS, round(seconds, 3))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Seconds within which `share` of the durations lie, read between the bounds of a class.

    `counts`: number of durations by class. None without any. The last class has no upper bound, so
    its lower one is returned.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, passed = share * total, 0
    for index in sorted(counts):
        if passed + counts[index] >= wanted:
            low = BOUNDS[index - 1] if index else 0
            if index == len(BOUNDS):
                return float(low)
            return low + (BOUNDS[index] - low) * (wanted - passed) / counts[index]
        passed += counts[index]
    return float(BOUNDS[-1])
