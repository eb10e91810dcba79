"""The pages of alerts: what managers set up, what auditors see, and what no page shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from alerts.evaluate import evaluate
from alerts.kinds import KINDS
from alerts.models import Delivery, Receiver, Rule, the_watch
from core.models import Act
from tests.alerts.world import make_receiver, make_rule
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
SECRET = "SECRETTOKEN"


@pytest.fixture
def browser() -> Client:
    return browser_of(member("manager"))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def add_receiver(browser: Client, **values: Any) -> Any:
    given = {
        "name": "Duty",
        "url": f"dingtalk://{SECRET}",
        "language": "en",
        "time_zone": "",
        "is_on": "on",
    }
    return browser.post(reverse("admin:alerts_receiver_add"), {**given, **values})


def test_address_is_kept_encrypted_and_never_shown_again(browser: Client) -> None:
    assert add_receiver(browser).status_code == 302
    receiver = Receiver.objects.get()
    assert receiver.url.reveal() == f"dingtalk://{SECRET}"
    page = reverse("admin:alerts_receiver", args=[receiver.public_id])
    for answer in (browser.get(page), browser.get(reverse("admin:alerts"))):
        assert SECRET not in text_of(answer)
        assert "dingtalk://••••" in text_of(answer)
    assert not any(SECRET in str(act.details) for act in Act.objects.all())


def test_address_of_a_form_that_is_refused_does_not_come_back(browser: Client) -> None:
    answer = add_receiver(browser, name="", url=f"gopher://{SECRET}")
    assert answer.status_code == 200
    assert SECRET not in text_of(answer)


def test_empty_address_keeps_the_stored_one(browser: Client) -> None:
    add_receiver(browser)
    page = reverse("admin:alerts_receiver", args=[Receiver.objects.get().public_id])
    answer = browser.post(page, {"name": "Night", "url": "", "language": "zh-hans"})
    assert answer.status_code == 302
    receiver = Receiver.objects.get()
    assert (receiver.name, receiver.is_on) == ("Night", False)
    assert receiver.url.reveal() == f"dingtalk://{SECRET}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_rule_of_each_kind_is_added_as_its_form_proposes(browser: Client, kind: Any) -> None:
    receiver = make_receiver()
    page = reverse("admin:alerts_rule_add", args=[kind.key])
    form = browser.get(page).context["form"]
    given = {name: form.initial.get(name, "") for name in form.fields}
    given = {
        name: value for name, value in given.items() if value is not None and value is not False
    }
    answer = browser.post(page, {**given, "receivers": [receiver.pk]})
    assert answer.status_code == 302, answer.context["form"].errors
    rule = Rule.objects.get()
    assert rule.is_on
    assert rule.page.startswith("/")
    evaluate()


def test_rule_needs_both_quiet_times_and_a_receiver(browser: Client) -> None:
    make_receiver()
    page = reverse("admin:alerts_rule_add", args=["hold"])
    given = {"every_minutes": 10, "repeat_minutes": 0, "quiet_from": "22:00"}
    errors = browser.post(page, given).context["form"].errors
    assert set(errors) == {"receivers"}
    given["receivers"] = Receiver.objects.get().pk
    assert set(browser.post(page, given).context["form"].errors) == {"quiet_until"}


def test_change_of_a_rule_keeps_its_evaluation(browser: Client) -> None:
    rule = make_rule("backup", version=7)
    page = reverse("admin:alerts_rule", args=[rule.public_id])
    receivers = [one.pk for one in rule.receivers.all()]
    given = {"limit": 48, "every_minutes": 5, "repeat_minutes": 60, "receivers": receivers}
    assert browser.post(page, given).status_code == 302
    rule.refresh_from_db()
    assert (rule.limit, rule.version, rule.tells_end) == (48, 7, False)


def test_switch_mute_and_removal_are_acts_of_the_audit_log(browser: Client) -> None:
    rule = make_rule("hold")
    for name, given in (
        ("switch", {}),
        ("switch", {}),
        ("mute", {"hours": 4}),
        ("mute", {"hours": 0}),
        ("remove", {}),
    ):
        url = reverse(f"admin:alerts_rule_{name}", args=[rule.public_id])
        assert browser.post(url, given).status_code == 302
    assert list(Act.objects.order_by("pk").values_list("what", flat=True)) == [
        "alert_rule.off",
        "alert_rule.on",
        "alert_rule.mute",
        "alert_rule.unmute",
        "alert_rule.remove",
    ]
    assert not Rule.objects.exists()


def test_test_button_asks_the_worker(browser: Client) -> None:
    receiver = make_receiver()
    browser.post(reverse("admin:alerts_receiver_test", args=[receiver.public_id]))
    delivery = Delivery.objects.get()
    assert (delivery.occasion, delivery.state) == ("test", "waiting")
    assert "Waiting" in text_of(browser.get(reverse("admin:alerts_live")))


def test_ping_is_set_and_switched_off(browser: Client, settings: Any) -> None:
    settings.ALLOW_PRIVATE_ALERTS = True
    page = reverse("admin:alerts_ping")
    browser.post(page, {"url": f"http://127.0.0.1/{SECRET}"})
    assert the_watch().ping_shown == "127.0.0.1"
    assert SECRET not in text_of(browser.get(page)) + text_of(browser.get(reverse("admin:alerts")))
    browser.post(page, {"url": ""})
    assert (the_watch().ping_shown, the_watch().ping_url) == ("", None)


def test_auditors_see_everything_and_can_change_nothing() -> None:
    browser = browser_of(member("auditor"))
    rule = make_rule("hold")
    shown = text_of(browser.get(reverse("admin:alerts")))
    assert "Everything on hold" in shown
    assert "<form" not in shown.partition('id="live"')[2]
    assert browser.get(reverse("admin:alerts_delivery_changelist")).status_code == 200
    url = reverse("admin:alerts_rule", args=[rule.public_id])
    assert browser.get(url).status_code == 403
