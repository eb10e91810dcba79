"""Who is told what, when, and how often."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from time import sleep
from typing import Final

import pytest
import time_machine
from django.db import connection

from alerts import evaluate as evaluation
from alerts.evaluate import evaluate
from alerts.facts import Facts, Finding
from alerts.kinds import Kind
from alerts.message import write
from alerts.models import Alarm, Delivery, Rule
from alerts.rule_changes import mute_all, mute_rule, save_rule, switch
from providers import clock
from providers.models import Account
from tests.alerts.world import later, make_receiver, make_rule, told
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
HOSTS: Final = 4


def pause(*accounts: Account) -> None:
    keys = [account.pk for account in accounts]
    Account.objects.filter(pk__in=keys).update(paused_at=clock.now(), pause_reason="no_balance")


def resume() -> None:
    Account.objects.update(paused_at=None, pause_reason="")


def text_of_last() -> tuple[str, str]:
    delivery = Delivery.objects.select_related("receiver").latest("pk")
    assert delivery.receiver is not None
    return write(delivery, delivery.receiver)


def test_each_alarm_is_told_once_however_often_the_rule_is_looked_at() -> None:
    make_rule("paused")
    pause(make_account(name="Main"))
    evaluate()
    for minutes in (1, 20, 60):
        with later(timedelta(minutes=minutes)):
            evaluate()
    assert told() == [("alert", 1)]
    subject, body = text_of_last()
    assert subject.startswith("SMS portal: Main is paused.")
    assert "http://testserver/providers/account/" in body


def test_thousand_events_become_one_message_with_their_number() -> None:
    make_rule("paused")
    make_account()
    template = Account.objects.get()
    Account.objects.bulk_create(
        Account(
            name=f"account {number}",
            provider=template.provider,
            base_url=template.base_url,
            public_id=f"id{number}",
            paused_at=clock.now(),
            pause_reason="no_balance",
        )
        for number in range(1000)
    )
    evaluate()
    assert told() == [("alert", 1000)]
    subject, body = text_of_last()
    assert subject == "SMS portal: Account paused (1000)"
    assert "and 995 more" in body
    assert len(body) < 1000


def test_what_comes_within_the_least_gap_is_told_together_afterwards() -> None:
    make_rule("paused", every_minutes=10)
    pause(make_account())
    evaluate()
    pause(make_account(), make_account())
    with later(timedelta(minutes=5)):
        evaluate()
    assert told() == [("alert", 1)]
    with later(timedelta(minutes=11)):
        evaluate()
    assert told() == [("alert", 1), ("alert", 2)]


def test_end_is_told_to_who_was_told_of_the_beginning() -> None:
    make_rule("paused")
    pause(make_account(name="Main"))
    evaluate()
    resume()
    with later(timedelta(minutes=4)):
        evaluate()
        evaluate()
    assert told() == [("alert", 1), ("over", 1)]
    assert text_of_last()[0].startswith("SMS portal: Resolved: Main is paused")


def test_short_gap_in_what_is_found_ends_nothing() -> None:
    make_rule("paused", every_minutes=1)
    account = make_account()
    pause(account)
    evaluate()
    resume()
    with later(timedelta(minutes=1)):
        evaluate()
    pause(account)
    with later(timedelta(minutes=2)):
        evaluate()
    assert told() == [("alert", 1)]
    assert Alarm.objects.get().ended_at is None


def test_end_is_not_told_if_the_rule_does_not_tell_it() -> None:
    make_rule("paused", tells_end=False)
    pause(make_account())
    evaluate()
    resume()
    with later(timedelta(minutes=4)):
        evaluate()
    assert told() == [("alert", 1)]


def test_end_from_before_a_rule_tells_ends_is_not_told() -> None:
    rule = make_rule("paused", tells_end=False)
    pause(make_account())
    evaluate()
    resume()
    with later(timedelta(minutes=4)):
        evaluate()
    rule.refresh_from_db()
    save_rule(rule, {"tells_end": True}, list(rule.receivers.all()), make_user())
    with later(timedelta(days=1)):
        evaluate()
    assert told() == [("alert", 1)]


def test_time_far_ahead_that_a_wrong_clock_wrote_holds_no_alert_back() -> None:
    make_rule("paused", repeat_minutes=60)
    first, second = make_account(), make_account()
    with later(timedelta(days=400)):
        pause(first)
        evaluate()
    pause(first, second)
    evaluate()
    assert told() == [("alert", 1), ("alert", 2)]
    resume()
    with later(timedelta(minutes=4)):
        evaluate()
        evaluate()
    assert told()[2:] == [("over", 2)]


def test_alarm_that_a_wrong_clock_saw_last_ends() -> None:
    make_rule("paused")
    with later(timedelta(days=400)):
        pause(make_account())
        evaluate()
    resume()
    evaluate()
    evaluate()
    assert told() == [("alert", 1), ("over", 1)]


def test_receiver_that_heard_much_while_a_clock_was_wrong_hears_more() -> None:
    receiver = make_receiver()
    make_rule("paused", receiver)
    ahead = clock.now() + timedelta(days=400)
    Delivery.objects.bulk_create(
        Delivery(receiver=receiver, occasion="alert", created_at=ahead)
        for _ in range(evaluation.MOST_PER_HOUR)
    )
    pause(make_account())
    assert evaluate() == 1


def test_what_lasts_is_told_again_as_often_as_the_rule_says() -> None:
    make_rule("paused", repeat_minutes=30)
    pause(make_account())
    evaluate()
    for minutes in (29, 31, 45, 62):
        with later(timedelta(minutes=minutes)):
            evaluate()
    assert told() == [("alert", 1), ("again", 1), ("again", 1)]


def test_quiet_hours_are_those_of_the_receiver_and_pass_midnight() -> None:
    shanghai = make_receiver(time_zone="Asia/Shanghai")
    london = make_receiver(time_zone="Europe/London")
    make_rule("paused", shanghai, london, quiet_from=time(22), quiet_until=time(7))
    account = make_account()
    # 23:30 in Shanghai, 15:30 in London.
    with time_machine.travel(datetime(2026, 1, 10, 15, 30, tzinfo=UTC)):
        pause(account)
        evaluate()
        assert [one.receiver for one in Delivery.objects.all()] == [london]
    # 07:01 in Shanghai: what still lasts is told. 23:01 in London.
    with time_machine.travel(datetime(2026, 1, 10, 23, 1, tzinfo=UTC)):
        evaluate()
    assert {one.receiver for one in Delivery.objects.all()} == {london, shanghai}


def test_what_is_over_before_quiet_hours_end_is_not_told() -> None:
    receiver = make_receiver(time_zone="UTC")
    make_rule("paused", receiver, quiet_from=time(22), quiet_until=time(7))
    account = make_account()
    with time_machine.travel(datetime(2026, 1, 10, 23, 0, tzinfo=UTC)):
        pause(account)
        evaluate()
    resume()
    for hour in (1, 8):
        with time_machine.travel(datetime(2026, 1, 11, hour, 0, tzinfo=UTC)):
            evaluate()
    assert told() == []


def test_muted_rule_and_muted_portal_tell_nothing_until_the_mute_ends() -> None:
    rule = make_rule("paused")
    pause(make_account())
    person = make_user()
    mute_rule(rule, 1, person)
    evaluate()
    mute_rule(rule, 0, person)
    mute_all(4, person)
    evaluate()
    assert told() == []
    with later(timedelta(hours=5)):
        evaluate()
    assert told() == [("alert", 1)]


def test_rule_that_is_switched_off_tells_no_end() -> None:
    rule = make_rule("paused")
    pause(make_account())
    evaluate()
    rule.refresh_from_db()
    switch(rule, make_user())
    with later(timedelta(minutes=20)):
        evaluate()
    assert told() == [("alert", 1)]
    assert not Alarm.objects.filter(ended_at=None).exists()


def test_rule_about_one_account_leaves_the_others_out() -> None:
    mine, other = make_account(), make_account()
    make_rule("paused", account=mine)
    pause(mine, other)
    evaluate()
    assert told() == [("alert", 1)]


def test_receiver_gets_no_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_PER_HOUR", 3)
    receiver = make_receiver()
    for _ in range(5):
        make_rule("paused", receiver)
    pause(make_account())
    evaluate()
    assert len(told()) == 3
    with later(timedelta(minutes=61)):
        evaluate()
    assert len(told()) == 5


def test_rule_that_fails_does_not_keep_the_others_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_rule("hold")
    make_rule("paused")
    pause(make_account())

    def fail(*_: object) -> object:
        raise RuntimeError

    monkeypatch.setattr("alerts.watches.portal.Hold.objects.filter", fail)
    evaluate()
    assert told() == [("alert", 1)]
    assert "could not be evaluated: hold" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_hosts_that_evaluate_at_once_send_one_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """All have found it before any of them notes it. SQLite lets one after the other write, so
    only PostgreSQL shows that the others give way."""
    make_rule("paused")
    pause(make_account())
    found = threading.Barrier(HOSTS)
    find, keep = evaluation._find, evaluation._keep_alarms
    problems: list[Exception] = []

    def find_together(kind: Kind, rule: Rule, facts: Facts) -> list[Finding]:
        findings = find(kind, rule, facts)
        found.wait(timeout=30)
        return findings

    def keep_slowly(rule: Rule, findings: Sequence[Finding], now: datetime) -> None:
        keep(rule, findings, now)
        # Time for another host to get as far, if nothing stops it.
        sleep(0.3)

    def host() -> None:
        try:
            evaluate()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    monkeypatch.setattr(evaluation, "_find", find_together)
    monkeypatch.setattr(evaluation, "_keep_alarms", keep_slowly)
    hosts = [threading.Thread(target=host) for _ in range(HOSTS)]
    for one in hosts:
        one.start()
    for one in hosts:
        one.join()
    assert problems == []
    assert told() == [("alert", 1)]
    assert Alarm.objects.count() == 1


def test_host_that_was_overtaken_tells_nothing_of_what_it_saw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_rule("paused")
    pause(make_account())
    find = evaluation._find

    def find_and_stall(kind: Kind, rule: Rule, facts: Facts) -> list[Finding]:
        findings = find(kind, rule, facts)
        monkeypatch.setattr(evaluation, "_find", find)
        resume()
        evaluate()  # The other host, which looked later.
        return findings

    monkeypatch.setattr(evaluation, "_find", find_and_stall)
    evaluate()
    assert told() == []
    assert not Alarm.objects.exists()
