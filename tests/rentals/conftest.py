"""The sandbox, where an SMS arrives only when a test delivers it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("gosms", sms_delay=None, complete_delay=None)
        yield running
