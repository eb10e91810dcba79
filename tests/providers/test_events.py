"""Who hears what providers tell of their own accord."""

from __future__ import annotations

import pytest
from django.utils import timezone

from providers import events
from providers.events import Match, ReceivedEvent, publish, subscribe
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.models import Account

REPORT = ReceivedEvent(Account(), DeliveryReported("ours", "theirs", "Delivered"), timezone.now())


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", {})


def test_event_without_a_match_returns_nothing() -> None:
    subscribe(DeliveryReported, lambda news: None)
    assert publish(REPORT) == []


def test_all_matching_subscribers_are_returned() -> None:
    subscribe(DeliveryReported, lambda news: Match("message:1"))
    subscribe(DeliveryReported, lambda news: Match("session:2"))
    assert [heard.subject for heard in publish(REPORT)] == ["message:1", "session:2"]


def test_subscriber_receives_only_its_kind_of_event() -> None:
    subscribe(VerificationReported, lambda news: Match("session:2"))
    assert publish(REPORT) == []


def test_repeated_subscription_is_called_once() -> None:
    def hear(news: ReceivedEvent) -> Match:
        return Match("message:1")

    subscribe(DeliveryReported, hear)
    subscribe(DeliveryReported, hear)
    assert len(publish(REPORT)) == 1
