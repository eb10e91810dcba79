"""The page of hosts: who sees it, and what it says about hosts that fit or do not fit together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from django_q.models import OrmQ

from providers import hosts
from providers.engine import heartbeats, leases
from providers.hosts import Report, write_report, write_stop
from providers.models import Fence, Heartbeat, Hold, Host, heartbeat
from smsportal.hosts.health import health_lines
from smsportal.hosts.page import hosts_context, notices
from smsportal.rights.roles import ROLES
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

PAGE = "/hosts/"
MEASURES = {"cores": 2, "load": 0.34, "memory": 318 * 1024**2, "disk_free": 41 * 1024**3}


def make_host(name: str = "sms-1", **fields: Any) -> Host:
    known = {"version": "1.0.0", "keys": "a41f", "clock_difference": 0.1, **MEASURES}
    host: Host = Host.objects.create(name=name, **{**known, **fields})
    return host


def page_of(role: str) -> str:
    return browser_of(member(role)).get(PAGE).content.decode()


# --- who sees it ----------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_managers_and_auditors_see_the_hosts(role: str) -> None:
    browser = browser_of(member(role))
    status = 200 if role in ("manager", "auditor") else 403
    assert browser.get(PAGE).status_code == status
    assert browser.get(reverse("admin:hosts_live")).status_code == status


def test_administrators_see_the_hosts() -> None:
    assert browser_of(member(superuser=True)).get(PAGE).status_code == 200


# --- what hosts report ------------------------------------------------------------


def report(**fields: Any) -> Report:
    known = {"role": "all", "version": "1.0.0", "keys": "", "started_at": timezone.now()}
    return Report(**{**known, "measures": MEASURES, **fields})


def test_host_writes_one_row_again_and_again(settings: LazySettings) -> None:
    settings.PORTAL_HOST = "sms-1"
    write_report(report())
    write_report(report(version="1.0.1"))
    (host,) = Host.objects.all()
    assert (host.name, host.version, host.cores) == ("sms-1", "1.0.1", 2)
    assert abs(host.clock_difference or 9) < 2
    assert timezone.now() - host.seen_at < timedelta(seconds=5)


def test_host_that_starts_again_runs(settings: LazySettings) -> None:
    settings.PORTAL_HOST = "sms-1"
    write_report(report())
    write_stop()
    assert [line.state for line in hosts_context()["lines"]] == ["stopped"]
    write_report(report())
    assert [line.state for line in hosts_context()["lines"]] == ["running"]


def test_host_that_does_not_report_is_not_seen() -> None:
    make_host(seen_at=timezone.now() - timedelta(seconds=21))
    assert [line.state for line in hosts_context()["lines"]] == ["silent"]
    assert "Not seen" in page_of("manager")


def test_hosts_that_have_been_gone_for_a_week_are_deleted() -> None:
    make_host("old", seen_at=timezone.now() - timedelta(days=8))
    make_host("young", seen_at=timezone.now() - timedelta(days=6))
    hosts.prune()
    assert [host.name for host in Host.objects.all()] == ["young"]


# --- what the page says -------------------------------------------------------------


def test_page_shows_what_a_host_runs_and_serves() -> None:
    make_host()
    account = make_account(name="HAORUI main")
    loop = uuid4()
    heartbeats.beat(loop, "sms-1")
    leases.renew(loop, "sms-1")
    page = page_of("manager")
    for words in ("sms-1", "1.0.0 · keys a41f", "34% of 2 cores", account.name, "1 of 1", "+0.1 s"):
        assert words in page


def test_hosts_that_fit_together_need_no_notice() -> None:
    assert notices([make_host("sms-1"), make_host("sms-2")]) == []


def test_different_versions_keys_and_clocks_are_noticed() -> None:
    found = notices(
        [
            make_host("sms-1"),
            make_host("sms-2", version="0.9.4", keys="77aa", clock_difference=-3.1),
        ]
    )
    assert len(found) == 3
    assert "0.9.4: sms-2; 1.0.0: sms-1" in found[0]
    assert "77aa: sms-2" in found[1]
    assert "sms-2" in found[2]


def test_hosts_that_stopped_cause_no_notice() -> None:
    make_host("sms-1")
    make_host("sms-2", version="0.9.4", stopped_at=timezone.now())
    assert hosts_context()["notices"] == []


def test_events_show_who_joined_and_stopped() -> None:
    now = timezone.now()
    make_host("sms-1", started_at=now - timedelta(hours=2))
    make_host("sms-2", started_at=now - timedelta(hours=1), stopped_at=now)
    texts = [event.text for event in hosts_context()["events"]]
    assert texts[0] == "sms-2 stopped normally"
    assert texts[1].startswith("sms-2 joined")
    assert texts[2].startswith("sms-1 joined")


# --- health -------------------------------------------------------------------------


def verdicts() -> dict[str, tuple[str, str]]:
    lines = health_lines(list(Host.objects.all()))
    return {line.subject: (str(line.verdict), line.role) for line in lines}


def test_healthy_installation_has_no_warning() -> None:
    make_host()
    heartbeat("queue")
    found = verdicts()
    assert "warning" not in [role for _, role in found.values()]
    assert found["Queue"] == ("nothing waits", "success")
    assert found["Keys"][0] == "same on all hosts"
    assert found["Backup"] == ("none made yet", "neutral")
    assert found["Hold"] == ("nothing is on hold", "success")


def test_late_or_silent_queue_is_a_warning() -> None:
    assert verdicts()["Queue"][1] == "warning"
    heartbeat("queue")
    key = "smsportal"
    OrmQ.objects.create(key=key, payload="", lock=timezone.now() - timedelta(seconds=40))
    words, role = verdicts()["Queue"]
    assert "waits for 40.0 s" in words
    assert role == "warning"


def test_database_is_named_with_its_size() -> None:
    (line,) = [line for line in health_lines([]) if line.subject == "Database"]
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    assert str(line.verdict).startswith(name)
    assert "B" in str(line.details)


def test_little_space_different_clock_and_keys_are_warnings() -> None:
    make_host("sms-1")
    make_host("sms-2", keys="77aa", clock_difference=2.5, disk_free=1024**3)
    found = verdicts()
    assert [found[name][1] for name in ("Disk", "Clock", "Keys")] == ["warning"] * 3
    assert "sms-2" in found["Clock"][0]
    assert "sms-2" in found["Disk"][0]


def test_hold_and_backup_are_shown() -> None:
    Fence.objects.update_or_create(pk=Fence.SINGLETON, defaults={"counter": 92018})
    Hold.objects.create(cause=Hold.Cause.BY_HAND)
    Heartbeat.objects.create(name="backup", beat_at=timezone.now(), detail="portal.zip")
    found = verdicts()
    assert "on hold since" in found["Hold"][0]
    assert found["Backup"][1] == "success"


def test_page_is_translated() -> None:
    make_host()
    with translation.override("zh-hans"):
        texts = [event.text for event in hosts_context()["events"]]
    assert texts
    assert "joined" not in texts[0]
