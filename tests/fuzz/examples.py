"""Parts of input that have broken programs, and the database as it was after each example."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

search = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20")),
    # Fixtures are shared by all examples of a test, and each example undoes what it wrote.
    suppress_health_check=list(HealthCheck),
)
"""A short search with every run of the tests, and a long one with `make fuzz`."""

NASTY_TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\u202e1391234",
    "\u200b\ufeff",
    "\ud7ff\ue000",
    "０１２３４５６７８９",
    "٠١٢٣٤",
    "🙂" * 200,
    "e\u0301" * 70,
    "x" * 20_000,
    "\r\n\t",
    "{name}",
    "{{7*7}}",
    "%s%n",
    "<script>alert(1)</script>",
    "'; DROP TABLE x; --",
    "NaN",
    "1e999",
    "-1",
    "9" * 400,
)
texts = st.sampled_from(NASTY_TEXTS) | st.text(max_size=300)
"""Any text that a browser can send."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what an example wrote, so that no example depends on another."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
