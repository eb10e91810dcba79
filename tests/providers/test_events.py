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


def test_news_that_nobody_claims_comes_back_empty() -> None:
    subscribe(DeliveryReported, lambda news: None)
    assert publish(REPORT) == []


def test_everybody_who_claims_it_is_named() -> None:
    subscribe(DeliveryReported, lambda news: Match("message:1"))
    subscribe(DeliveryReported, lambda news: Match("session:2"))
    assert [heard.subject for heard in publish(REPORT)] == ["message:1", "session:2"]


def test_nobody_hears_another_kind_of_news() -> None:
    subscribe(VerificationReported, lambda news: Match("session:2"))
    assert publish(REPORT) == []


def test_whoever_subscribes_twice_hears_it_once() -> None:
    def hear(news: ReceivedEvent) -> Match:
        return Match("message:1")

    subscribe(DeliveryReported, hear)
    subscribe(DeliveryReported, hear)
    assert len(publish(REPORT)) == 1
