"""Who hears what providers tell of their own accord."""

from __future__ import annotations

import pytest
from django.utils import timezone

from providers import subscriptions
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.models import Account
from providers.subscriptions import Heard, News, publish, subscribe

REPORT = News(Account(), DeliveryReported("ours", "theirs", "Delivered"), timezone.now())


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_subscribers", {})


def test_news_that_nobody_claims_comes_back_empty() -> None:
    subscribe(DeliveryReported, lambda news: None)
    assert publish(REPORT) == []


def test_everybody_who_claims_it_is_named() -> None:
    subscribe(DeliveryReported, lambda news: Heard("message:1"))
    subscribe(DeliveryReported, lambda news: Heard("session:2"))
    assert [heard.subject for heard in publish(REPORT)] == ["message:1", "session:2"]


def test_nobody_hears_another_kind_of_news() -> None:
    subscribe(VerificationReported, lambda news: Heard("session:2"))
    assert publish(REPORT) == []


def test_whoever_subscribes_twice_hears_it_once() -> None:
    def hear(news: News) -> Heard:
        return Heard("message:1")

    subscribe(DeliveryReported, hear)
    subscribe(DeliveryReported, hear)
    assert len(publish(REPORT)) == 1
