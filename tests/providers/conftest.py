"""A hold that keeps three rows of a kind without an app."""

from __future__ import annotations

import pytest

from providers.hold import holdable
from providers.models import Hold
from tests.support.held import FakeHoldable


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeHoldable:
    """The only kind of rows."""
    fake = FakeHoldable()
    monkeypatch.setattr(holdable, "_holdables", {fake.name: fake})
    return fake


@pytest.fixture
def hold(fake: FakeHoldable, db: None) -> Hold:
    return Hold.objects.create(cause=Hold.Cause.RESTORED)
