"""Fixtures of fence and hold."""

from __future__ import annotations

import pytest

from providers.hold import holdable
from tests.support.held_messages import HoldMessages


@pytest.fixture
def hold_messages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of what the apps hold are beside the apps."""
    monkeypatch.setattr(holdable, "_holdables", {HoldMessages.name: HoldMessages()})
