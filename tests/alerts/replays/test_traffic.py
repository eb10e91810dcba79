"""Pauses, failures and codes of the last days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import time_machine

from alerts.replays import traffic
from figures.models import Figure
from figures.slots import slot_of
from providers import clock
from providers.models import Account, AccountPause
from tests.alerts.replays.world import hours, rehearsed
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db
NOW: Final = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


def put(account: Account, hours_ago: float, state: str, count: int, **fields: Any) -> None:
    """Figures of one quarter of an hour."""
    values = {"kind": "text", "country": "CN", "reason": "", "accepted": count, "succeeded": 0}
    Figure.objects.create(
        slot=slot_of(NOW - timedelta(hours=hours_ago)),
        account=account,
        state=state,
        count=count,
        segments=count,
        cost=0,
        unpriced=0,
        **{**values, **fields},
    )


def test_pauses_by_the_portal_that_lasted_long_enough() -> None:
    account, now = make_account(name="Main"), clock.now()
    for reason, began, ended in (
        ("no_balance", 50, 49),
        ("by_hand", 40, 39),
        ("no_balance", 30, 29.9),
        ("no_balance", 2, None),
    ):
        AccountPause.objects.create(
            account=account,
            reason=reason,
            started_at=now - timedelta(hours=began),
            ended_at=None if ended is None else now - timedelta(hours=ended),
        )
    found = rehearsed("paused", now, limit=30)
    assert hours(found.spells, now) == [(1.5, None), (49.5, 49)]
    assert len(rehearsed("paused", now, limit=0).spells) == 3


def test_many_failures_within_two_hours() -> None:
    account = make_account(name="Main")
    put(account, 30, "delivered", 60)
    put(account, 30, "undelivered", 40)
    put(account, 10, "delivered", 90)
    put(account, 10, "refused", 10)
    found = rehearsed("failures", NOW, limit=30, least=100)
    # From the end of the quarter of an hour for as long as it is within the last two hours.
    assert hours(found.spells, NOW) == [(29.75, 27.5)]
    assert rehearsed("failures", NOW, limit=30, least=101).spells == []
    assert rehearsed("failures", NOW, limit=41, least=100).spells == []


def test_more_failures_than_in_the_seven_days_before() -> None:
    account = make_account(name="Main")
    for day in range(2, 13):
        put(account, 24 * day, "delivered", 95)
        put(account, 24 * day, "undelivered", 5)
    put(account, 5, "delivered", 60)
    put(account, 5, "undelivered", 40)
    found = rehearsed("unusual", NOW)
    assert [one.name for one in found.spells] == ["Main", "China"]
    assert set(hours(found.spells, NOW)) == {(4.75, 2.5)}
    assert len(rehearsed("unusual", NOW, account=account).spells) == 1
    assert rehearsed("unusual", NOW, limit=36).spells == []


def test_codes_that_were_not_verified() -> None:
    account = make_account(name="Main")
    code = {"kind": "session"}
    put(account, 20, "verified", 6, succeeded=6, **code)
    put(account, 20, "expired", 14, **code)
    found = rehearsed("conversion", NOW, limit=40, least=20)
    assert hours(found.spells, NOW) == [(19.75, 18.75)]
    assert rehearsed("conversion", NOW, limit=30, least=20).spells == []
    assert rehearsed("conversion", NOW, limit=40, least=21).spells == []


def test_more_figures_than_one_test_reads_shorten_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MOST_ROWS", 2)
    account = make_account()
    for number in (50, 30, 10):
        put(account, number, "undelivered", 200)
    found = rehearsed("failures", NOW)
    assert hours(found.spells, NOW) == [(9.75, 7.5)]
    assert found.is_shortened


def test_replay_and_watch_agree_about_now() -> None:
    """The same figures, looked at now and looked at afterwards."""
    from alerts.facts import Facts
    from alerts.kinds import BY_KEY
    from tests.alerts.world import make_rule

    account = make_account(name="Main")
    put(account, 1, "undelivered", 100)
    rule = make_rule("failures")
    with time_machine.travel(NOW, tick=False):
        assert len(list(BY_KEY["failures"].find(rule, Facts(NOW)))) == 1
    assert hours(rehearsed("failures", NOW).spells, NOW) == [(0.75, None)]
