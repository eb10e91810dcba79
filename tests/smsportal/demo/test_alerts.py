"""The alerts of the demo: pages with something on them, and nothing that leaves the machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from alerts.evaluate import evaluate
from alerts.message import write
from alerts.models import Alarm, Delivery, Receiver, Rule, the_watch
from tests.support.history import NOW, SANDBOX_URL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_its_end(month_of_history: datetime) -> Iterator[None]:
    with time_machine.travel(month_of_history, tick=False):
        yield


def test_alerts_have_rules_receivers_and_a_log() -> None:
    assert Rule.objects.filter(is_on=True).count() >= 6
    assert Rule.objects.filter(is_on=False).exists()
    occasions = set(Delivery.objects.values_list("occasion", flat=True))
    assert occasions == {"test", "alert", "over"}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Delivery.objects.filter(created_at__gt=NOW - timedelta(days=1)).exists()
    for delivery in Delivery.objects.select_related("receiver"):
        assert delivery.receiver is not None
        assert delivery.created_at <= NOW
        subject, _body = write(delivery, delivery.receiver)
        assert "%(" not in subject


def test_alerts_go_to_the_sandbox_and_nowhere_else() -> None:
    own = SANDBOX_URL.removeprefix("http://")
    for receiver in Receiver.objects.all():
        assert receiver.url.reveal().startswith(f"json://{own}/_alerts/")
    assert the_watch().ping_shown == ""


def test_what_was_told_is_not_told_again_by_the_first_look() -> None:
    lasting = {"paused", "unknown", "approval"}
    assert set(Alarm.objects.filter(ended_at=None).values_list("rule__kind", flat=True)) >= lasting
    before = Delivery.objects.count()
    evaluate()
    assert Delivery.objects.exclude(state="waiting").count() == before
    assert not Delivery.objects.filter(state="waiting", kind__in=lasting).exists()
