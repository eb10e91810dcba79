"""What waited too long: a text asks for a go-ahead, a code is of no use to anybody."""

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


def test_a_text_may_wait_a_day_and_a_code_two_minutes() -> None:
    assert (timedelta(hours=24), timedelta(minutes=2)) == (TEXT_MAX_AGE, CODE_MAX_AGE)


def made_at_noon(provider: str, kind: str) -> Message:
    return make_message(make_account(provider), kind=kind, queued_at=NOON, not_before=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(("provider", "kind", "age", "end"), KINDS)
class TestTheBorder:
    def test_at_its_age_it_is_put_aside(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = made_at_noon(provider, kind)
        with time_machine.travel(NOON + age, tick=False):
            MessageSource().sweep()
        message.refresh_from_db()
        assert (message.state, message.reason) == (end, "waited_too_long")

    def test_a_moment_before_it_is_not(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = made_at_noon(provider, kind)
        with time_machine.travel(NOON + age - MOMENT, tick=False):
            MessageSource().sweep()
        message.refresh_from_db()
        assert message.state == "queued"

    def test_at_its_age_it_is_not_claimed_even_before_the_sweep(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = made_at_noon(provider, kind)
        with time_machine.travel(NOON + age, tick=False):
            source = MessageSource()
            assert source.accounts_with_work([message.account_id]) == set()
            assert source.claim(message.account, 5, uuid4()) == []

    def test_a_moment_before_it_is_claimed(
        self, provider: str, kind: str, age: timedelta, end: str
    ) -> None:
        message = made_at_noon(provider, kind)
        with time_machine.travel(NOON + age - MOMENT, tick=False):
            assert len(MessageSource().claim(message.account, 5, uuid4())) == 1


@pytest.mark.django_db
def test_a_code_that_waited_too_long_is_wiped() -> None:
    message = made_at_noon("haosms", "own_code")
    with time_machine.travel(NOON + CODE_MAX_AGE, tick=False):
        MessageSource().sweep()
    message.refresh_from_db()
    assert (message.code, message.ended_at) == (None, NOON + CODE_MAX_AGE)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["claimed", "sending", "unknown", "submitted", "cancelled"])
def test_only_what_is_queued_grows_too_old(state: str) -> None:
    now = timezone.now()
    message = make_message(state=state, queued_at=now - timedelta(days=3), claimed_at=now)
    MessageSource().sweep()
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("provider", "kind", "age", "end"), KINDS)
def test_after_a_long_stop_nothing_old_goes_out(
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
def test_a_message_that_needs_a_go_ahead_goes_out_once_it_has_it(sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox), state="held")
    assert queue_message.release(message)
    assert not queue_message.release(message)
    send(message)
    assert len(sandbox.book.entries()) == 1
