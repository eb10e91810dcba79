"""What every test can rely on. Settings stand in tests/settings.py, options in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from django.core.cache import cache

# A slow machine is no failure: no example has a time limit.
hypothesis.settings.register_profile("portal", deadline=None, print_blob=True)
hypothesis.settings.load_profile("portal")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """The cache outlives a test's transaction, so it is emptied around each test."""
    cache.clear()
    yield
    cache.clear()
