"""A manager accepts a break of the chain with a reason. Only that break alarms no longer."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from audit import chain, triggers
from audit.models import ChainCheck
from audit.seal_acts import seal_all
from core.acts import record_act, record_acts
from core.models import Act
from tests.factories.staff import make_staff
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db

LIST = "/audit/entry/"
ALARM = "The chain of the audit log is broken: entries were changed or removed."
REASON = "Repaired by hand after the disk failed"


def by_hand(statement: str) -> None:
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    triggers.install()


def checked() -> ChainCheck:
    check = ChainCheck.objects.create()
    assert chain.go_on(check)
    return check


def make_broken() -> None:
    """Three acts below one seal, of which one is gone."""
    record_acts("message.cancelled", by=None, subjects=["message:1", "message:2", "message:3"])
    seal_all()
    by_hand("DELETE FROM core_act WHERE subject = 'message:1'")
    assert [str(one.kind) for one in chain.open_breaks(checked())] == ["act_removed"]


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def browser(manager: User) -> Client:
    return browser_of(manager)


def accept_address(browser: Client) -> str:
    found = re.search(rf"{LIST}accept/[0-9a-f]+/", browser.get(LIST).content.decode())
    assert found is not None
    return found.group()


def test_accepted_break_is_shown_with_who_and_why_and_alarms_no_longer(
    browser: Client, manager: User, caplog: pytest.LogCaptureFixture
) -> None:
    make_broken()
    assert ALARM in browser.get("/").content.decode()
    address = accept_address(browser)
    assert "An entry was removed below seal 1." in browser.get(address).content.decode()
    browser.post(address, {"reason": REASON})
    act = Act.objects.get(what="audit.accept_break")
    assert (act.by, act.why, act.details["seal"]) == (manager, REASON, 1)
    assert ALARM not in browser.get("/").content.decode()
    shown = browser.get(LIST).content.decode()
    assert "An entry was removed below seal 1." in shown
    assert REASON in shown
    assert "All breaks up to entry" in shown
    assert "The chain is broken." not in shown
    # Later checks find it again, and say nothing.
    caplog.clear()
    seal_all()
    assert chain.open_breaks(checked()) == []
    assert "is broken" not in caplog.text


def test_another_change_in_the_same_place_is_a_new_break(browser: Client) -> None:
    make_broken()
    browser.post(accept_address(browser), {"reason": REASON})
    by_hand("DELETE FROM core_act WHERE subject = 'message:2'")
    seal_all()
    found = chain.open_breaks(checked())
    assert [(str(one.kind), one.seal) for one in found] == [("act_removed", 1)]
    assert ALARM in browser.get("/").content.decode()


def test_accepted_breaks_leave_room_for_new_ones(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "MOST_BREAKS", 1)
    make_broken()
    browser.post(accept_address(browser), {"reason": REASON})
    record_act("sign_out", by=None)
    seal_all()
    by_hand("UPDATE core_act SET what = 'sign_in' WHERE what = 'sign_out'")
    kinds = [str(one.kind) for one in chain.open_breaks(checked())]
    assert kinds == ["act_changed"]
    assert len(ChainCheck.objects.latest("pk").breaks) == 2


def test_reason_must_say_something_and_one_acceptance_is_enough(browser: Client) -> None:
    make_broken()
    address = accept_address(browser)
    assert "Describe the reason" in browser.post(address, {"reason": "x"}).content.decode()
    assert not Act.objects.filter(what="audit.accept_break").exists()
    for _ in range(2):
        browser.post(address, {"reason": REASON})
    assert Act.objects.filter(what="audit.accept_break").count() == 1


def test_auditor_sees_a_break_and_cannot_accept_it(browser: Client) -> None:
    make_broken()
    address = accept_address(browser)
    auditor = browser_of(make_staff("auditor"))
    shown = auditor.get(LIST).content.decode()
    assert "An entry was removed below seal 1." in shown
    assert f"{LIST}accept/" not in shown
    assert auditor.post(address, {"reason": REASON}).status_code == 403
    assert not Act.objects.filter(what="audit.accept_break").exists()


def test_missing_guards_are_mended_and_not_accepted(browser: Client) -> None:
    record_act("sign_out", by=None)
    seal_all()
    triggers.remove()
    (one,) = chain.open_breaks(checked())
    assert (str(one.kind), one.may_be_accepted) == ("unguarded", False)
    shown = browser.get(LIST).content.decode()
    triggers.install()
    assert "no longer refuses changes" in shown
    assert f"{LIST}accept/" not in shown
    assert browser.get(f"{LIST}accept/{one.key}/").status_code == 404


def test_cut_tail_is_one_break_before_and_after_later_seals(browser: Client) -> None:
    for _ in range(3):
        record_act("sign_out", by=None)
        seal_all()
    by_hand("DELETE FROM core_act WHERE seal > 1")
    by_hand("DELETE FROM audit_seal WHERE number > 1")
    (before,) = chain.open_breaks(checked())
    assert (str(before.kind), before.seal) == ("cut", 3)
    browser.post(accept_address(browser), {"reason": REASON})
    seal_all()
    assert chain.open_breaks(checked()) == []
