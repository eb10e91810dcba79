"""The test of a rule with the last days: how often it would have told whom."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from alerts.kinds import KINDS
from alerts.models import Alarm, Delivery, Receiver, Rule
from alerts.rehearsal import count_alerts
from alerts.replays.spells import Spell, joined
from core.models import Act
from providers import clock
from providers.models import Hold
from tests.alerts.world import make_receiver, make_rule
from tests.support.signed_in import browser_of, member

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def spell(began: float, ended: float | None = None, subject: str = "a") -> Spell:
    """Hours before now."""
    end = None if ended is None else NOW - timedelta(hours=ended)
    return Spell(subject, "", NOW - timedelta(hours=began), end)


def count(*spells: Spell, is_event: bool = False, **fields: Any) -> int:
    rule = Rule(kind="paused", **{"every_minutes": 10, **fields})
    receiver = Receiver(time_zone="UTC")
    return count_alerts(spells, rule, receiver, NOW, is_event=is_event)


def test_what_comes_within_the_least_gap_is_one_alert() -> None:
    found = spell(5, 1), spell(4.9, 1, "b"), spell(4.8, 1, "c"), spell(2, 1, "d")
    assert count(*found) == 4
    assert count(*found, every_minutes=60) == 3
    assert count(*found, every_minutes=400) == 1


def test_quiet_hours_put_off_what_lasts_and_drop_what_is_over() -> None:
    quiet: dict[str, Any] = {"quiet_from": time(22), "quiet_until": time(7)}
    over, lasts = spell(13, 9), spell(13, 4)
    assert count(over, lasts) == 1
    assert count(over, **quiet) == 0
    assert count(lasts, **quiet) == 1
    assert count(over, is_event=True, **quiet) == 1


def test_alert_that_quiet_hours_hold_back_until_later_than_now_is_none() -> None:
    assert count(spell(1), quiet_from=time(9), quiet_until=time(18)) == 0


def test_alert_in_quiet_hours_when_clocks_are_set_back_is_told_after_them() -> None:
    """In Berlin, 25 October 2026 has 02:10 twice."""
    rule = Rule(kind="paused", every_minutes=10, quiet_from=time(22), quiet_until=time(2, 30))
    began = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    for ended, told in ((None, 1), (began + timedelta(minutes=5), 0)):
        found = [Spell("a", "", began, ended)]
        berlin = Receiver(time_zone="Europe/Berlin")
        now = began + timedelta(days=1)
        assert count_alerts(found, rule, berlin, now, is_event=False) == told


def test_gap_shorter_than_an_alarm_needs_to_end_joins_two() -> None:
    found = [spell(5, 4), spell(3.99, 3), spell(2, 1), spell(3.99, 3, "b")]
    shown = joined(found, timedelta(minutes=3))
    assert [(one.subject, one.began, one.ended) for one in shown] == [
        ("a", found[0].began, found[1].ended),
        ("b", found[3].began, found[3].ended),
        ("a", found[2].began, found[2].ended),
    ]


# --- the button --------------------------------------------------------------


@pytest.fixture
def browser(db: None) -> Client:
    return browser_of(member("manager"))


def text_of(answer: Any) -> str:
    return " ".join(str(answer.content.decode()).split())


def typed(page: str, browser: Client, **values: Any) -> dict[str, Any]:
    form = browser.get(page).context["form"]
    given = {name: form.initial.get(name) for name in form.fields}
    given["receivers"] = [one.pk for one in given.get("receivers") or ()]
    given = {name: value for name, value in given.items() if value not in (None, "")}
    return {**given, "rehearse": "yes", **values}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_each_kind_is_tested_or_says_why_not(browser: Client, kind: Any) -> None:
    make_receiver()
    page = reverse("admin:alerts_rule_add", args=[kind.key])
    shown = text_of(browser.post(page, typed(page, browser)))
    assert ("would not have fired" in shown) == (kind.replay is not None)
    assert ("It is not known how often" in shown) == (kind.replay is None)
    assert str(kind.on_replay).split(".")[0] in shown
    assert "Nothing was saved, and no one was notified." in shown


def test_test_shows_when_and_how_often_and_saves_and_tells_nothing(browser: Client) -> None:
    duty = make_receiver(name="Duty")
    now = clock.now()
    for began in (50, 30, 1):
        ended = None if began == 1 else now - timedelta(hours=began - 1)
        Hold.objects.create(
            cause="by_hand", started_at=now - timedelta(hours=began), ended_at=ended
        )
    page = reverse("admin:alerts_rule_add", args=["hold"])
    answer = browser.post(page, typed(page, browser, receivers=[duty.pk], every_minutes=13))
    shown = text_of(answer)
    assert "This rule would have fired 3 times." in shown
    assert shown.count("for 1 h 0 min") == 2
    assert "still lasts" in shown
    assert answer.context["rehearsal"].told == [(duty, 3)]
    assert 'value="13"' in shown
    assert not Rule.objects.exists()
    assert not Alarm.objects.exists()
    assert not Delivery.objects.exists()
    assert not Act.objects.filter(what__startswith="alert").exists()


def test_test_of_a_stored_rule_uses_what_is_typed_and_leaves_the_rule(browser: Client) -> None:
    rule = make_rule("backup")
    stored = Rule.objects.values().get()
    page = reverse("admin:alerts_rule", args=[rule.public_id])
    answer = browser.post(page, typed(page, browser, limit=5, quiet_from="22:00"))
    # Both times are needed, and the page says so beside the field.
    assert set(answer.context["form"].errors) == {"quiet_until"}
    shown = text_of(answer)
    assert 'value="22:00"' in shown
    assert 'value="5"' in shown
    assert "rehearsal-title" not in shown
    answer = browser.post(page, typed(page, browser, limit=5))
    assert "rehearsal-title" in text_of(answer)
    assert Rule.objects.values().get() == stored


def test_test_needs_no_receiver_but_a_rule_does(browser: Client) -> None:
    make_receiver()
    page = reverse("admin:alerts_rule_add", args=["hold"])
    given = typed(page, browser)
    assert browser.post(page, given).context["form"].errors == {}
    del given["rehearse"]
    assert set(browser.post(page, given).context["form"].errors) == {"receivers"}


def test_test_in_chinese(browser: Client) -> None:
    make_receiver()
    page = reverse("admin:alerts_rule_add", args=["hold"])
    given = typed(page, browser)
    shown = text_of(browser.post(page, given, headers={"accept-language": "zh-hans"}))
    assert "would" not in shown.partition('id="rehearsal"')[2].partition("</section>")[0]
