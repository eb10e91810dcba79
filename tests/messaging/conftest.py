"""The sandbox for tests of messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=None)
        yield running
