"""Sessions and records of sign-ins are deleted in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import Settings

from smsportal import tasks

pytestmark = pytest.mark.django_db


def make_records(days_ago: int) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    who = {"username": f"staff{days_ago}", "ip_address": "192.0.2.1"}
    AccessAttempt.objects.create(**who, failures_since_start=1)
    AccessFailureLog.objects.create(**who)
    AccessLog.objects.create(**who)
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username=who["username"]).update(attempt_time=at)


def test_old_sign_ins_are_deleted_and_recent_ones_kept(settings: Settings) -> None:
    settings.JOURNAL_DAYS = 30
    make_records(31)
    make_records(29)
    assert tasks.prune() == 3
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        assert model.objects.get().username == "staff29"


def test_only_ended_sessions_are_deleted() -> None:
    now = timezone.now()
    Session.objects.create(session_key="ended", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="open", expire_date=now + timedelta(hours=1))
    assert tasks.prune() == 1
    assert Session.objects.get().session_key == "open"
