"""Tables of files, closed after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .opened_tables import OPENED


@pytest.fixture(autouse=True)
def _close_tables() -> Iterator[None]:
    yield
    OPENED.close()
