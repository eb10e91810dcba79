"""`manage.py release`, with a kind of rows that has no app."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from core.models import Act
from providers.models import Hold
from tests.support.held import FakeHoldable

pytestmark = pytest.mark.django_db


def release(*arguments: str) -> str:
    out = StringIO()
    call_command("release", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        release(*arguments)
    return caught.value


def test_list_shows_the_groups_and_changes_nothing(fake: FakeHoldable, hold: Hold) -> None:
    shown = release("--list")
    assert "Restored from a backup." in shown
    assert "fake:1: 3 to decide, 0 settled, queued 2025-11-20 13:12:05 UTC+08:00 to" in shown
    assert "No report is on record." in shown
    assert (fake.sent, Act.objects.count()) == (set(), 0)


def test_list_reports_that_nothing_is_on_hold(fake: FakeHoldable) -> None:
    assert release("--list") == "Nothing is on hold.\n"


def test_all_is_sent_and_the_hold_ends(fake: FakeHoldable, hold: Hold) -> None:
    shown = release("--all", "--reason", "Nobody is in")
    assert shown == (
        "fake:1: 3 released (Single messages)\nNothing is left to decide: the hold has ended.\n"
    )
    assert fake.sent == {1, 2, 3}
    act = Act.objects.get(what="hold.release")
    assert (act.by, act.why) == (None, "Nobody is in")


def test_named_group_is_ended_without_sending(fake: FakeHoldable, hold: Hold) -> None:
    shown = release("--group", "fake:1", "--discard", "--reason", "Too late")
    assert "fake:1: 3 will not be sent" in shown
    assert (fake.sent, fake.discarded) == (set(), {1, 2, 3})


@pytest.mark.parametrize("reason", [(), ("--reason", "  "), ("--reason", "r" * 201)])
def test_decision_without_a_usable_reason_is_refused(
    fake: FakeHoldable, hold: Hold, reason: tuple[str, ...]
) -> None:
    assert "--reason is required" in str(refused("--all", *reason))
    assert fake.sent == set()


def test_what_to_decide_about_must_be_named(fake: FakeHoldable, hold: Hold) -> None:
    assert "one of the arguments" in str(refused("--reason", "r"))
    assert "not allowed with" in str(refused("--all", "--group", "fake:1", "--reason", "r"))


def test_unknown_group_is_refused_before_anything_is_decided(
    fake: FakeHoldable, hold: Hold
) -> None:
    error = refused("--group", "fake:1", "--group", "fake:2", "--reason", "r")
    assert (error.returncode, str(error)) == (1, "No such group: fake:2. See --list.")
    assert fake.sent == set()


def test_nothing_on_hold_is_an_error_for_a_decision(fake: FakeHoldable) -> None:
    error = refused("--all", "--reason", "r")
    assert (error.returncode, str(error)) == (1, "Nothing is on hold.")


def test_what_can_no_longer_be_sent_stays_and_is_named(fake: FakeHoldable, hold: Hold) -> None:
    fake.may_send = False
    error = refused("--all", "--reason", "r")
    assert error.returncode == 1
    assert "Cannot be sent any more: fake:1. End these with --discard." in str(error)
    assert fake.sent == set()


def test_group_that_is_decided_already_is_left_alone(fake: FakeHoldable, hold: Hold) -> None:
    fake.sent = {1, 2, 3}
    shown = release("--group", "fake:1", "--reason", "r")
    assert shown == "Nothing is left to decide: the hold has ended.\n"
