"""What fails more than usual."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from figures import roll_up, tasks
from figures.cuts import By
from figures.models import RollUp
from figures.standouts import Standout, find_standouts
from messaging.models import Message
from providers import clock
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db


def add(
    account: Account, hours_ago: float, delivered: int, failed: int, country: str = "CN"
) -> None:
    at = clock.now() - timedelta(hours=hours_ago)
    Message.objects.bulk_create(
        Message(
            account=account,
            kind="text",
            recipient="+8613912345678",
            country=country,
            state="delivered" if number < delivered else "undelivered",
            created_at=at,
        )
        for number in range(delivered + failed)
    )


def found() -> list[Standout]:
    roll_up.bring_up_to_date()
    return find_standouts(clock.now())


def usual(account: Account, country: str = "CN") -> None:
    for hours in range(6, 100, 6):
        add(account, hours, 38, 2, country)


def test_account_that_fails_more_than_usual_is_named_with_its_hour() -> None:
    account, other = make_account(name="North"), make_account(name="South")
    usual(account, "ID")
    usual(other)
    add(account, 2.6, 20, 20, "ID")
    add(account, 1.4, 30, 30, "ID")
    add(other, 1.4, 58, 2)

    by_account = [one for one in found() if one.by == By.ACCOUNT]

    assert [one.value for one in by_account] == [account.pk]
    standout = by_account[0]
    assert standout.share == pytest.approx(0.5)
    assert standout.usual < 0.1
    hours = (clock.now() - standout.since_).total_seconds() / 3600
    assert 2 <= hours <= 4


@pytest.mark.parametrize(
    ("delivered", "failed"),
    [(10, 10), (60, 4), (0, 0), (55, 5)],
    ids=["too few", "as usual", "nothing", "a little more"],
)
def test_little_or_usual_failure_stands_out_nowhere(delivered: int, failed: int) -> None:
    account = make_account()
    usual(account)
    add(account, 1, delivered, failed)

    assert found() == []


def test_new_account_has_no_usual_share() -> None:
    add(make_account(), 1, 0, 80)

    assert found() == []


def test_noted_standouts_are_said_on_dashboard_and_scoreboard(
    django_assert_num_queries: Any,
) -> None:
    account = make_account(name="North")
    usual(account)
    add(account, 1, 30, 30)
    assert tasks.bring_up_to_date()
    client = Client()
    client.force_login(make_staff("manager"))

    for url in ("/", "/scoreboard/"):
        shown = strip_tags(client.get(url).content.decode())
        assert "North: 50% of messages have failed since" in shown

    # What is over is no longer said.
    Message.objects.update(state="delivered")
    RollUp.objects.update(looked_at=None)
    tasks.bring_up_to_date()
    assert "have failed since" not in client.get("/scoreboard/").content.decode()


def test_link_leads_to_the_figures_of_the_account() -> None:
    account = make_account(name="North")
    usual(account)
    add(account, 1, 30, 30)
    tasks.bring_up_to_date()
    client = Client()
    client.force_login(make_staff("manager"))

    answer = client.get("/scoreboard/")
    url = answer.context["standouts"][0].url

    assert f"account={account.pk}" in url
    assert client.get(url).context["form"].errors == {}
