"""Publishing events to subscribers."""

from __future__ import annotations

import pytest
from django.utils import timezone

from providers import events
from providers.events import Match, ReceivedEvent, publish, subscribe
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.models import Account

REPORT = ReceivedEvent(Account(), DeliveryReported("ours", "theirs", "Delivered"), timezone.now())


@pytest.fixture(autouse=True)
def no_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", {})


def test_event_without_a_match_returns_nothing() -> None:
    subscribe(DeliveryReported, lambda received: None)
    assert publish(REPORT) == []


def test_all_matching_subscribers_are_returned() -> None:
    subscribe(DeliveryReported, lambda received: Match("message:1"))
    subscribe(DeliveryReported, lambda received: Match("session:2"))
    assert [match.subject for match in publish(REPORT)] == ["message:1", "session:2"]


def test_subscriber_receives_only_its_kind_of_event() -> None:
    subscribe(VerificationReported, lambda received: Match("session:2"))
    assert publish(REPORT) == []


def test_repeated_subscription_is_called_once() -> None:
    def handle(received: ReceivedEvent) -> Match:
        return Match("message:1")

    subscribe(DeliveryReported, handle)
    subscribe(DeliveryReported, handle)
    assert len(publish(REPORT)) == 1
