"""Balances of the last days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.replays import money
from providers import clock
from tests.alerts.replays.world import hours, rehearsed
from tests.alerts.test_watches import read_balance
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


def test_balance_was_low_from_one_reading_to_another() -> None:
    account = make_account("gosms", name="Main", low_balance=100)
    for amount, ago in ((150, 60), (50, 48), (80, 47), (120, 40), (90, 3)):
        read_balance(account, amount, ago)
    now = clock.now()
    found = rehearsed("balance", now)
    assert hours(found.spells, now) == [(3, None), (48, 40)]
    assert {one.name for one in found.spells} == {"Main"}
    # The amount of the rule takes the place of the account's.
    assert hours(rehearsed("balance", now, limit=60).spells, now) == [(48, 47)]


def test_balance_that_was_low_before_counts_from_the_beginning() -> None:
    read_balance(make_account("gosms", low_balance=100), 50, 24 * 20)
    now = clock.now()
    assert hours(rehearsed("balance", now).spells, now) == [(7 * 24, None)]


def test_account_without_a_warning_amount_and_other_accounts_are_left_out() -> None:
    read_balance(make_account("gosms"), 1, 5)
    mine, other = (make_account("gosms", low_balance=100) for _ in range(2))
    for account in (mine, other):
        read_balance(account, 1, 5)
    found = rehearsed("balance", clock.now(), account=mine)
    assert [one.account for one in found.spells] == [mine.pk]


def test_balance_that_would_have_run_out() -> None:
    account = make_account("haosms")
    # 10 an hour: 45 last for 4.5 hours. Then a top-up.
    for amount, ago in ((85, 60), (75, 59), (65, 58), (55, 57), (45, 56), (900, 55)):
        read_balance(account, amount, ago)
    now = clock.now()
    assert hours(rehearsed("runway", now, limit=6).spells, now) == [(57, 55)]
    assert rehearsed("runway", now, limit=4).spells == []


def test_more_readings_than_one_test_reads_shorten_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "MOST_READINGS", 3)
    account = make_account("gosms", low_balance=100)
    for amount, ago in ((50, 48), (150, 47), (150, 46), (150, 3), (50, 2)):
        read_balance(account, amount, ago)
    now = clock.now()
    found = rehearsed("balance", now)
    assert hours(found.spells, now) == [(2, None)]
    assert found.is_shortened
    assert now - found.since == pytest.approx(timedelta(hours=46), abs=timedelta(minutes=1))


def test_many_accounts_share_what_one_test_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "MOST_ROWS", 6)
    for account in [make_account("gosms", low_balance=100) for _ in range(2)]:
        for ago in (48, 40, 3, 2):
            read_balance(account, 50, ago)
    now = clock.now()
    found = rehearsed("balance", now)
    assert hours(found.spells, now) == [(40, None), (40, None)]
    assert now - found.since == pytest.approx(timedelta(hours=40), abs=timedelta(minutes=1))
