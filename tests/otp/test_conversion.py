"""Figures, and the alarms when codes do not come back."""

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


def some(count: int, account: Account, *, minutes_ago: float = 20, **fields: Any) -> None:
    """Sessions to numbers of one range, sent so long ago, not verified unless told so."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    begins = fields.pop("begins", "+861391234")
    by = make_user()
    serial = Session.objects.count()
    made = Session.objects.bulk_create(
        Session(
            account=account,
            recipient=f"{begins}{serial + index:04}",
            prefix=prefix_of(f"{begins}{serial + index:04}"),
            country="CN",
            state="sent",
            expires_at=at,
            sent_at=at,
            created_by=by,
            **fields,
        )
        for index in range(count)
    )
    Session.objects.filter(pk__in=[one.pk for one in made]).update(created_at=at)


def test_the_median_is_from_sending_to_the_right_code(account: Account) -> None:
    sent = timezone.now() - timedelta(minutes=20)
    for seconds in (10, 30, 500):
        some(1, account, verified_at=sent + timedelta(seconds=seconds))
    median = funnel_of(Session.objects.all()).median
    assert median is not None
    assert round(median.total_seconds()) == 30


def test_delivery_counts_only_where_it_is_reported(account: Account) -> None:
    some(2, account, delivered_at=timezone.now())
    some(3, make_account("haosms"))
    funnel = funnel_of(Session.objects.all())
    assert (funnel.sent, funnel.reported_on, funnel.delivered_percent) == (5, 2, 100)


def test_the_tables_add_up_to_the_whole(account: Account) -> None:
    some(2, account)
    some(3, make_account("haosms"), minutes_ago=90)
    tables = tables_of(Session.objects.all())
    for lines in tables.values():
        assert sum(line.sent for line in lines) == 5
    assert len(tables["account"]) == 2
    assert len(tables["country"]) == 1


def test_a_share_that_drops_raises_an_alarm_for_range_and_account(account: Account) -> None:
    some(9, account)
    assert alarms() == []
    some(1, account)
    assert {(alarm.kind, bool(alarm.prefix)) for alarm in alarms()} == {
        ("share", True),
        ("share", False),
    }


def test_codes_that_come_back_raise_none(account: Account) -> None:
    some(12, account, verified_at=timezone.now())
    assert alarms() == []


def test_codes_that_may_still_be_read_out_say_nothing(account: Account) -> None:
    some(12, account, minutes_ago=2)
    assert alarms() == []


def test_many_codes_into_one_range_raise_an_alarm_at_once(account: Account) -> None:
    some(20, account, minutes_ago=1)
    (alarm,) = alarms()
    assert (alarm.kind, alarm.prefix, alarm.sent) == ("burst", "+861391234", 20)


def test_an_alarm_stands_on_dashboard_and_list_and_opens_its_rows(
    client: Client, account: Account
) -> None:
    some(20, account, minutes_ago=1)
    some(1, account, begins="+861380000")
    client.force_login(make_staff("viewer"))
    words = "20 codes to +86139… in the last 10 minutes"
    assert words in client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse("admin:otp_session_changelist"))
    assert words in page.content.decode()
    assert "1391234" not in page.content.decode()
    (matter,) = page.context["alarms"]
    assert "1391234" not in matter.url
    assert client.get(matter.url).context["cl"].result_count == 20
