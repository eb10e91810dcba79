"""Retries of callbacks that match nothing, fail, or are processed again by staff."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from providers.callbacks import process, retry
from providers.events import Match
from providers.models import Account, Callback

from .pushes import only_callback, process_received, push_json, push_report
from .subscriber import Subscriber

pytestmark = pytest.mark.django_db


def test_unmatched_callback_is_retried_automatically(app: Subscriber, account: Account) -> None:
    app.match = None
    push_report(account)
    process_received()
    row = only_callback()
    assert row.state == "unmatched"
    assert row.next_try_at is not None
    app.match = Match("message:7")
    with time_machine.travel(row.next_try_at + timedelta(seconds=1)):
        assert process.process_due() == 1
    assert only_callback().state == "applied"


def test_retries_of_an_unmatched_callback_end(app: Subscriber, account: Account) -> None:
    app.match = None
    push_report(account)
    with time_machine.travel(timezone.now()) as clock:
        for _ in retry.RETRY_DELAYS:
            clock.shift(timedelta(days=1))
            assert process.process_due() == 1
        clock.shift(timedelta(days=1))
        process.process_due()
        clock.shift(timedelta(days=30))
        assert process.process_due() == 0
    assert (only_callback().state, only_callback().next_try_at) == ("unmatched", None)


def test_repeated_callback_is_tried_again(app: Subscriber, account: Account) -> None:
    app.match = None
    push_report(account)
    process_received()
    Callback.objects.update(next_try_at=None)
    push_report(account)
    app.match = Match("message:7")
    assert process.process_due() == 1
    assert only_callback().state == "applied"


def test_repetitions_of_a_callback_use_up_no_retries(app: Subscriber, account: Account) -> None:
    app.match = None
    for _ in range(len(retry.RETRY_DELAYS) + 3):
        push_report(account)
        process.process_rows([only_callback().pk])
    assert only_callback().next_try_at is not None


def test_staff_can_have_a_callback_processed_again(app: Subscriber, account: Account) -> None:
    app.match = None
    push_report(account)
    process_received()
    app.match = Match("message:7")
    retry.process_again(Callback.objects.all())
    process.process_due()
    assert only_callback().state == "applied"


def test_callback_reset_by_staff_during_processing_is_processed_again(
    app: Subscriber, account: Account
) -> None:
    app.match = None
    push_report(account)
    process_received()
    Callback.objects.update(next_try_at=timezone.now())
    app.during_event = lambda: retry.process_again(Callback.objects.all())
    process.process_due()
    row = only_callback()
    assert row.state == "received"
    assert row.next_try_at is not None
    assert row.next_try_at <= timezone.now()


# --- failures ------------------------------------------------------------


def test_callback_that_always_fails_becomes_unrecognised(app: Subscriber, account: Account) -> None:
    app.error = ValueError("cannot")
    push_report(account)
    with time_machine.travel(timezone.now()) as clock:
        for _ in range(retry.MAX_ATTEMPTS + 1):
            process.process_due()
            clock.shift(timedelta(minutes=2))
        assert process.process_due() == 0
    assert (only_callback().state, only_callback().problem) == ("unrecognised", "portal_fault")


def test_unmatched_callback_that_starts_to_fail_becomes_unrecognised(
    app: Subscriber, account: Account
) -> None:
    app.match = None
    push_report(account)
    process_received()
    app.error = ValueError("cannot")
    with time_machine.travel(timezone.now()) as clock:
        for _ in range(retry.MAX_ATTEMPTS + 1):
            clock.shift(timedelta(minutes=2))
            process.process_due()
    assert (only_callback().state, only_callback().problem) == ("unrecognised", "portal_fault")


def test_callback_whose_attempt_left_no_result_is_tried_alone(
    app: Subscriber, account: Account
) -> None:
    for number in range(3):
        push_json(account, {"uid": f"u{number}", "DLRStatus": "Delivered"})
    long_ago = timezone.now() - timedelta(minutes=5)
    Callback.objects.update(failures=1, next_try_at=long_ago)
    assert process.process_due() == 1


def test_unavailable_database_leaves_the_callback_received(
    app: Subscriber, account: Account
) -> None:
    app.error = OperationalError("gone")
    push_report(account)
    with pytest.raises(OperationalError):
        process.process_due()
    assert only_callback().state == "received"


def test_rows_without_time_left_are_released_uncounted(
    app: Subscriber, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        push_json(account, {"uid": f"u{number}", "DLRStatus": "Delivered"})
    monkeypatch.setattr(process, "MAX_RUN", -1.0)
    process.process_due()
    rows = Callback.objects.all()
    assert {(row.state, row.tries, row.failures) for row in rows} == {("received", 0, 0)}
