"""Conversion figures and the alarms for low conversion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from otp.conversion import alarms, funnel_of, tables_of
from otp.models import Session, prefix_of
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def make_sessions(count: int, account: Account, *, minutes_ago: float = 20, **fields: Any) -> None:
    """Create sessions to numbers with one prefix, unverified unless `fields` say otherwise."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    number_start = fields.pop("number_start", "+861391234")
    by = make_user()
    serial = Session.objects.count()
    sessions = Session.objects.bulk_create(
        Session(
            account=account,
            recipient=f"{number_start}{serial + index:04}",
            prefix=prefix_of(f"{number_start}{serial + index:04}"),
            country="CN",
            state="sent",
            expires_at=at,
            sent_at=at,
            created_by=by,
            **fields,
        )
        for index in range(count)
    )
    Session.objects.filter(pk__in=[one.pk for one in sessions]).update(created_at=at)


def test_median_is_the_time_from_sending_to_verification(account: Account) -> None:
    sent = timezone.now() - timedelta(minutes=20)
    for seconds in (10, 30, 500):
        make_sessions(1, account, verified_at=sent + timedelta(seconds=seconds))
    median = funnel_of(Session.objects.all()).median
    assert median is not None
    assert round(median.total_seconds()) == 30


def test_delivery_counts_only_providers_that_report_it(account: Account) -> None:
    make_sessions(2, account, delivered_at=timezone.now())
    make_sessions(3, make_account("haosms"))
    funnel = funnel_of(Session.objects.all())
    assert (funnel.sent, funnel.reported_on, funnel.delivered_percent) == (5, 2, 100)


def test_tables_add_up_to_the_total(account: Account) -> None:
    make_sessions(2, account)
    make_sessions(3, make_account("haosms"), minutes_ago=90)
    tables = tables_of(Session.objects.all())
    for lines in tables.values():
        assert sum(line.sent for line in lines) == 5
    assert len(tables["account"]) == 2
    assert len(tables["country"]) == 1


def test_low_share_raises_alarms_for_prefix_and_account(account: Account) -> None:
    make_sessions(9, account)
    assert alarms() == []
    make_sessions(1, account)
    assert {(alarm.kind, bool(alarm.prefix)) for alarm in alarms()} == {
        ("share", True),
        ("share", False),
    }


def test_verified_codes_raise_no_alarm(account: Account) -> None:
    make_sessions(12, account, verified_at=timezone.now())
    assert alarms() == []


def test_recent_codes_do_not_lower_the_share(account: Account) -> None:
    make_sessions(12, account, minutes_ago=2)
    assert alarms() == []


def test_burst_to_one_prefix_raises_an_alarm(account: Account) -> None:
    make_sessions(20, account, minutes_ago=1)
    (alarm,) = alarms()
    assert (alarm.kind, alarm.prefix, alarm.sent) == ("burst", "+861391234", 20)


def test_alarm_is_shown_on_dashboard_and_list_and_links_to_its_sessions(
    client: Client, account: Account
) -> None:
    make_sessions(20, account, minutes_ago=1)
    make_sessions(1, account, number_start="+861380000")
    client.force_login(make_staff("viewer"))
    words = "20 codes sent to +86139… in the last 10 minutes"
    assert words in client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse("admin:otp_session_changelist"))
    assert words in page.content.decode()
    assert "1391234" not in page.content.decode()
    (item,) = page.context["alarms"]
    assert "1391234" not in item.url
    assert client.get(item.url).context["cl"].result_count == 20
