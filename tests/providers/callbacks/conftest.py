from __future__ import annotations

import pytest

from providers import events
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.models import Account
from tests.factories.accounts import make_account

from .subscriber import Subscriber


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Subscriber:
    """The only subscriber."""
    monkeypatch.setattr(events, "_subscribers", {})
    subscriber = Subscriber()
    events.subscribe(DeliveryReported, subscriber.handle)
    events.subscribe(VerificationReported, subscriber.handle)
    return subscriber


@pytest.fixture
def account() -> Account:
    return make_account("haorui")
