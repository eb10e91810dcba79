"""The practice providers, which report nothing of their own accord."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running
