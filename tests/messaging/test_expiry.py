"""Texts that are too old are held for confirmation; stale codes end as not sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from messaging import queue_message
from messaging.engine.source import MessageSource
from messaging.models import Message
from messaging.queue_message import CODE_MAX_AGE, TEXT_MAX_AGE
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_rounds, send

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
KINDS = [
    ("haorui", "text", TEXT_MAX_AGE, "held"),
    ("haosms", "own_code", CODE_MAX_AGE, "not_sent"),
    ("otpservice", "provider_code", CODE_MAX_AGE, "not_sent"),
]


def test_text_expires_after_a_day_and_a_code_after_two_minutes() -> None:
    assert (timedelta(hours=24), timedelta(minutes=2)) == (TEXT_MAX_AGE, CODE_MAX_AGE)


def make_at_noon(provider: str, kind: str) -> Message:
    return make_message(make_account(provider), kind=kind, queued_at=NOON, not_before=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(("provider", "kind", "age", "end"), KINDS)
class TestMaximumAge:
    def test_message_of_that_age_is_held_or_ended(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = make_at_noon(provider, kind)
        with time_machine.travel(NOON + age, tick=False):
            MessageSource().sweep()
        message.refresh_from_db()
        assert (message.state, message.reason) == (end, "waited_too_long")

    def test_younger_message_stays_queued(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = make_at_noon(provider, kind)
        with time_machine.travel(NOON + age - MOMENT, tick=False):
            MessageSource().sweep()
        message.refresh_from_db()
        assert message.state == "queued"

    def test_message_of_that_age_is_not_claimed_before_the_sweep(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = make_at_noon(provider, kind)
        with time_machine.travel(NOON + age, tick=False):
            source = MessageSource()
            assert source.accounts_with_work([message.account_id]) == set()
            assert source.claim(message.account, 5, uuid4()) == []

    def test_younger_message_is_claimed(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = make_at_noon(provider, kind)
        with time_machine.travel(NOON + age - MOMENT, tick=False):
            assert len(MessageSource().claim(message.account, 5, uuid4())) == 1


@pytest.mark.django_db
def test_expired_code_is_wiped() -> None:
    message = make_at_noon("haosms", "own_code")
    with time_machine.travel(NOON + CODE_MAX_AGE, tick=False):
        MessageSource().sweep()
    message.refresh_from_db()
    assert (message.code, message.ended_at) == (None, NOON + CODE_MAX_AGE)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["claimed", "sending", "unknown", "submitted", "cancelled"])
def test_only_queued_messages_expire(state: str) -> None:
    now = timezone.now()
    message = make_message(state=state, queued_at=now - timedelta(days=3), claimed_at=now)
    MessageSource().sweep()
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("provider", "kind", "age", "end"), KINDS)
def test_old_messages_are_not_sent_after_an_outage(
    sandbox: Sandbox, provider: str, kind: str, age: timedelta, end: str
) -> None:
    account = make_account(provider, sandbox)
    long_ago = timezone.now() - age - timedelta(seconds=1)
    old = make_message(account, kind=kind, queued_at=long_ago, not_before=long_ago)
    fresh = make_message(account, kind=kind)

    send(fresh)
    run_rounds()

    old.refresh_from_db()
    assert (old.state, fresh.state) == (end, "submitted")
    assert len(sandbox.book.entries()) == 1


@pytest.mark.django_db(transaction=True)
def test_held_message_is_sent_once_after_release(sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox), state="held")
    assert queue_message.release(message)
    assert not queue_message.release(message)
    send(message)
    assert len(sandbox.book.entries()) == 1
