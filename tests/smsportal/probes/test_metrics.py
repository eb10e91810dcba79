"""What Prometheus reads, by its own parser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from figures import roll_up
from messaging.models import Message
from providers.models import ApiCall, BalanceReading, Callback, Hold, heartbeat
from smsportal.probes import metrics
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

TOKEN = "a-token-of-enough-length"
NUMBER = "+8613912345678"
TEXT = "A text that nobody outside may read"

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]


def scrape(client: Client, settings: Any, accept: str = "") -> str:
    settings.METRICS_TOKEN = TOKEN
    metrics.forget()
    answer = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}", HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    return answer.content.decode()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def value(text: str, metric: str, **labels: str) -> float | None:
    return samples(text).get((metric, frozenset(labels.items())))


@pytest.fixture
def busy(db: None) -> None:
    account = make_account(name="main")
    for state in ("delivered", "delivered", "unknown"):
        make_message(account=account, recipient=NUMBER, text=TEXT, state=state)
    BalanceReading.objects.create(account=account, available="12.5", read_at=timezone.now())
    for duration in (0.1, 0.2, 0.9):
        ApiCall.objects.create(
            account=account,
            operation="send",
            outcome="done",
            started_at=timezone.now(),
            duration=duration,
            method="POST",
            url="https://provider.example/",
            request_body=NUMBER,
        )
    Callback.objects.create(
        account=account,
        digest="0" * 64,
        method="POST",
        body=NUMBER.encode(),
        received_at=timezone.now() - timedelta(minutes=2),
    )
    heartbeat("queue")


@pytest.mark.usefixtures("busy")
def test_metrics_state_what_the_tables_hold(client: Client, settings: Any) -> None:
    roll_up.bring_up_to_date()
    text = scrape(client, settings)
    kind = {"kind": "text", "account": "main"}
    assert value(text, "smsportal_rows_last_hour", **kind, state="delivered") == 2
    assert value(text, "smsportal_unknown_outcomes", kind="message", account="main") == 1
    call = {"account": "main", "operation": "send"}
    assert value(text, "smsportal_calls_last_minute", **call, outcome="done") == 3
    assert value(text, "smsportal_call_seconds", **call, quantile="0.5") == 0.2
    assert value(text, "smsportal_call_seconds", **call, quantile="0.95") == 0.9
    assert value(text, "smsportal_account_balance", account="main") == 12.5
    assert value(text, "smsportal_callbacks_waiting") == 1
    assert 120 <= (value(text, "smsportal_callback_lag_seconds") or 0) < 180
    assert value(text, "smsportal_hold") == 0
    Hold.objects.create(cause="restored")
    assert value(scrape(client, settings), "smsportal_hold") == 1


@pytest.mark.usefixtures("busy")
def test_waiting_rows_have_an_age(client: Client, settings: Any) -> None:
    make_message(not_before=timezone.now() - timedelta(minutes=3))
    text = scrape(client, settings)
    assert value(text, "smsportal_due_rows", kind="message") == 1
    assert 180 <= (value(text, "smsportal_oldest_due_seconds") or 0) < 240


@pytest.mark.usefixtures("busy")
def test_no_number_text_or_person_is_in_metrics(client: Client, settings: Any) -> None:
    text = scrape(client, settings)
    assert Message.objects.filter(recipient=NUMBER).exists()
    for secret in (NUMBER, NUMBER[1:], "12345678", TEXT, "provider.example"):
        assert secret not in text


@pytest.mark.usefixtures("busy")
def test_both_formats_can_be_parsed(client: Client, settings: Any) -> None:
    assert list(parse_text(scrape(client, settings)))
    open_metrics = scrape(client, settings, "application/openmetrics-text; version=1.0.0")
    assert {family.name for family in parse_openmetrics(open_metrics)} >= {"smsportal_hold"}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("accept", ["version=banana", "version=99.9", "version", "escaping=x"])
def test_odd_version_gets_the_format_that_there_is(
    client: Client, settings: Any, accept: str
) -> None:
    text = scrape(client, settings, f"application/openmetrics-text; {accept}")
    assert list(parse_openmetrics(text))


def test_any_name_of_an_account_is_a_label(client: Client, settings: Any) -> None:
    name = 'a"b\\c\nd{e="f"} \u2028'
    make_account(name=name)
    assert value(scrape(client, settings), "smsportal_leases") == 0
    found = {labels for metric, labels in samples(scrape(client, settings)) if "paused" in metric}
    assert found == {frozenset({("account", name), ("provider", "haorui")})}


def test_metrics_say_so_while_the_database_is_away(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("host db.internal user portal")

    settings.METRICS_TOKEN = TOKEN
    client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", fail)
        answer = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert answer.status_code == 503
    assert b"db.internal" not in answer.content
    assert value(scrape(client, settings), "smsportal_hold") == 0


@pytest.mark.usefixtures("busy")
def test_the_number_of_queries_does_not_grow_with_rows(
    client: Client, settings: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        scrape(client, settings)
    for number in range(5):
        account = make_account(name=f"more {number}")
        BalanceReading.objects.create(account=account, available="1", read_at=timezone.now())
        make_message(account=account, state="unknown")
    with django_assert_max_num_queries(30):
        scrape(client, settings)
