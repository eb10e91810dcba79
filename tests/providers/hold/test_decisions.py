"""Decisions about what is on hold, with a kind of rows that has no app."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils.translation import override

from core.models import Act
from otp.codes_on_hold import CodesOnHold
from providers.hold import decisions
from providers.hold.decisions import Decision, decide, end_if_decided, open_hold, settle_known
from providers.models import Hold
from providers.presentation.hold_texts import act_title
from providers.tasks import end_decided_hold
from tests.factories.staff import make_user
from tests.support.held import FakeHoldable

pytestmark = pytest.mark.django_db
SEND = Decision("fake:1", send=True)
DISCARD = Decision("fake:1", send=False)


def acts(what: str = "") -> list[Act]:
    rows = Act.objects.filter(what=what) if what else Act.objects.all()
    return list(rows.order_by("pk"))


def test_group_is_sent_and_the_act_records_who_which_how_many_and_why(
    fake: FakeHoldable, hold: Hold
) -> None:
    fake.settled = {1}
    person = make_user()
    (done,) = decide(hold, [SEND], by=person, reason="The senders say so")
    assert (done.count, fake.sent, fake.discarded) == (2, {2, 3}, set())
    (act,) = acts("hold.release")
    assert (act.by, act.subject, act.why) == (person, f"hold:{hold.pk}", "The senders say so")
    assert act.details["group"] == "fake:1"
    assert act.details["count"] == 2
    assert act.details["title"] == "Single messages"


def test_discarded_rows_are_recorded_as_not_to_be_sent(fake: FakeHoldable, hold: Hold) -> None:
    decide(hold, [DISCARD], by=None, reason="Too late")
    assert fake.discarded == {1, 2, 3}
    (act,) = acts("hold.discard")
    assert (act.by, act.details["count"]) == (None, 3)


def test_hold_ends_with_the_last_decision(fake: FakeHoldable, hold: Hold) -> None:
    decide(hold, [Decision("fake:1", True, [1, 2])], by=None, reason="r")
    assert open_hold() == hold
    assert acts("hold.end") == []
    decide(hold, [DISCARD], by=None, reason="r")
    hold.refresh_from_db()
    assert hold.ended_at is not None
    assert open_hold() is None
    assert len(acts("hold.end")) == 1


def test_only_the_chosen_rows_are_decided(fake: FakeHoldable, hold: Hold) -> None:
    (done,) = decide(hold, [Decision("fake:1", True, [2, 99])], by=None, reason="r")
    assert (done.count, fake.sent) == (1, {2})


def test_ended_hold_takes_no_decision(fake: FakeHoldable, hold: Hold) -> None:
    decide(hold, [SEND], by=None, reason="r")
    fake.count = 5
    with pytest.raises(decisions.HoldEnded):
        decide(hold, [SEND], by=None, reason="r")
    assert fake.sent == {1, 2, 3}


def test_group_that_grew_since_it_was_shown_is_not_decided(fake: FakeHoldable, hold: Hold) -> None:
    with pytest.raises(decisions.MoreWaits):
        decide(hold, [Decision("fake:1", True, shown=2)], by=None, reason="r")
    assert acts() == []


def test_group_that_shrank_since_it_was_shown_is_decided(fake: FakeHoldable, hold: Hold) -> None:
    (done,) = decide(hold, [Decision("fake:1", True, shown=9)], by=None, reason="r")
    assert done.count == 3


def test_what_can_no_longer_be_sent_can_only_be_discarded(fake: FakeHoldable, hold: Hold) -> None:
    fake.may_send = False
    with pytest.raises(decisions.CannotSend):
        decide(hold, [SEND], by=None, reason="r")
    decide(hold, [DISCARD], by=None, reason="r")
    assert (fake.sent, fake.discarded) == (set(), {1, 2, 3})


def test_group_that_is_not_held_is_refused(fake: FakeHoldable, hold: Hold) -> None:
    with pytest.raises(decisions.UnknownGroup):
        decide(hold, [Decision("fake:2", True)], by=None, reason="r")


def test_group_that_others_have_decided_leaves_no_act(fake: FakeHoldable, hold: Hold) -> None:
    fake.sent = {1, 2}
    (done,) = decide(hold, [Decision("fake:1", False, [1, 2])], by=None, reason="r")
    assert (done.count, acts("hold.discard")) == (0, [])


def test_decision_and_its_act_are_written_together_or_not_at_all(
    fake: FakeHoldable, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`release` writes a row in place of a message."""

    def release(*_: object) -> int:
        assert transaction.get_connection().in_atomic_block
        Hold.objects.filter(pk=hold.pk).update(reason="written by release")
        return 1

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(fake, "release", release)
    monkeypatch.setattr(decisions, "record_act", fail)
    with pytest.raises(RuntimeError):
        decide(hold, [SEND], by=None, reason="r")
    hold.refresh_from_db()
    assert hold.reason == ""


def test_title_is_kept_as_a_key_and_shown_in_the_language_of_the_reader(
    fake: FakeHoldable, hold: Hold
) -> None:
    fake.title = CodesOnHold.title.store()
    decide(hold, [SEND], by=None, reason="r")
    (act,) = acts("hold.release")
    assert act.details["title"] == '{"key": "held.codes"}'
    assert act_title(act) == "Codes"
    with override("zh-hans"):
        assert act_title(act) == "验证码"


def test_what_becomes_known_is_settled_and_may_end_the_hold(fake: FakeHoldable, hold: Hold) -> None:
    fake.known = {1, 2}
    assert settle_known(hold) == 2
    assert open_hold() == hold
    fake.known = {3}
    assert settle_known(hold) == 1
    assert open_hold() is None
    assert acts("hold.end")[0].by is None


def test_hold_whose_rows_were_settled_by_reports_is_ended_by_the_queue(
    fake: FakeHoldable, hold: Hold
) -> None:
    fake.settled = {1, 2, 3}
    assert end_decided_hold() is True
    assert open_hold() is None


def test_queue_does_nothing_without_a_hold(fake: FakeHoldable) -> None:
    assert end_decided_hold() is False
    assert acts() == []


def test_hold_with_undecided_rows_does_not_end(fake: FakeHoldable, hold: Hold) -> None:
    assert end_if_decided(hold, by=None) is False
    assert open_hold() == hold
