from __future__ import annotations

from collections.abc import Iterator

import pytest

from smsportal.probes import metrics, readiness


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """No answer is remembered from another test."""
    readiness.forget()
    metrics.forget()
    yield
    readiness.forget()
    metrics.forget()
