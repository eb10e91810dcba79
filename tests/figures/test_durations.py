"""Classes of durations."""

from __future__ import annotations

import statistics
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from figures.durations import BOUNDS, class_of, quantile


@given(st.lists(st.floats(min_value=0, max_value=3_500), min_size=1, max_size=60))
def test_median_lies_in_the_class_of_the_real_one(seconds: list[float]) -> None:
    read = quantile(Counter(map(class_of, seconds)), 0.5)
    real = statistics.median_low(seconds)

    assert read is not None
    index = class_of(real)
    low = BOUNDS[index - 1] if index else 0
    assert low <= read <= BOUNDS[index]


def test_nothing_has_no_median() -> None:
    assert quantile({}, 0.5) is None


def test_longest_class_counts_from_its_lower_bound() -> None:
    assert quantile({len(BOUNDS): 3}, 0.95) == BOUNDS[-1]
