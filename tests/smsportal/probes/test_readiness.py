"""What makes a host unready, and what only needs attention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from providers.models import Hold, heartbeat
from smsportal.probes import readiness
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]


@pytest.fixture(autouse=True)
def working_queue(db: None) -> None:
    heartbeat("queue")


def read(client: Client) -> tuple[int, dict[str, Any]]:
    readiness.forget()
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_a_working_portal_is_ready(client: Client) -> None:
    status, found = read(client)
    assert (status, found["status"]) == (200, "ready")
    assert set(found["checks"].values()) == {"ok"}
    assert len(found["checks"]) == 8


def test_a_migration_that_is_missing_makes_the_host_unready(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="messaging").latest("pk").delete()
    status, found = read(client)
    assert (status, found["checks"]["migrations"]) == (503, "failed")


def test_other_keys_make_the_host_unready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "find_misfits", lambda: iter(["SECRET_KEY differs"]))
    assert read(client)[0] == 503


def test_a_full_disk_makes_the_host_unready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "NO_SPACE", 1 << 60)
    status, found = read(client)
    assert (status, found["checks"]["disk"]) == (503, "failed")


def test_a_database_that_is_away_makes_the_host_unready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DatabaseError("host db.internal user portal")

    monkeypatch.setattr(connection, "ensure_connection", fail)
    status, found = read(client)
    assert (status, found["checks"]) == (503, {"disk": "ok", "database": "failed"})
    assert "db.internal" not in str(found)


@pytest.mark.parametrize("name", ["queue", "backlog", "hold", "engine"])
def test_a_fault_of_the_whole_portal_takes_no_host_out_of_service(
    client: Client, name: str
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    account = make_account()
    make_message(account=account, not_before=long_ago if name == "backlog" else timezone.now())
    if name == "queue":
        heartbeat("queue", at=long_ago)
    elif name == "hold":
        Hold.objects.create(cause="restored")
    status, found = read(client)
    assert (status, found["status"]) == (200, "degraded")
    assert found["checks"][name] == "warning"


def test_details_need_the_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token-of-enough-length"
    assert "details" not in client.get("/readyz").json()
    answer = client.get("/readyz", HTTP_AUTHORIZATION=f"Bearer {settings.METRICS_TOKEN}")
    assert "last sign of life" in answer.json()["details"]["queue"]


def test_many_probes_ask_the_database_once(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/readyz")
    with django_assert_num_queries(0):
        for _ in range(5):
            client.get("/readyz")
