"""Reading what was stored, again and again if need be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from providers import events, tasks
from providers.callbacks import process
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import DeliveryReported, VerificationReported
from providers.models import Account, Callback, CallbackToken
from providers.task_leases import only_one
from tests.factories.accounts import make_account

from .pushes import digest_all, only, push_get, push_json

pytestmark = pytest.mark.django_db


class App:
    """An app above that hears delivery reports and answers as it is told to."""

    def __init__(self) -> None:
        self.heard: list[ReceivedEvent] = []
        self.answer: Match | None = Match("message:7")
        self.fault: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def hear(self, news: ReceivedEvent) -> Match | None:
        if self.fault:
            raise self.fault
        self.heard.append(news)
        self.meanwhile()
        return self.answer


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(events, "_subscribers", {})
    app = App()
    events.subscribe(DeliveryReported, app.hear)
    events.subscribe(VerificationReported, app.hear)
    return app


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def push(account: Account, word: str = "Delivered") -> Callback:
    push_json(account, {"uid": "u1", "message_id": 5, "DLRStatus": word, "ErrorCode": "000"})
    return only()


def test_what_is_understood_is_published_with_its_place(app: App, account: Account) -> None:
    row = push(account)
    digest_all()
    (news,) = app.heard
    assert (news.account, news.callback_id, news.position, news.at) == (
        account,
        row.pk,
        0,
        row.received_at,
    )
    assert (news.event.reference, news.event.provider_id) == ("u1", "5")


def test_a_row_tells_what_was_understood_and_whom_it_was_for(app: App, account: Account) -> None:
    push(account, "DELIVRD")
    digest_all()
    row = only()
    assert (row.state, row.kind, row.says, row.words) == (
        "applied",
        "delivery",
        "delivered",
        "DELIVRD 000",
    )
    assert (row.subject, row.matched_by, row.next_try_at) == ("message:7", "reference", None)


def test_a_conflict_is_told_from_what_was_applied(app: App, account: Account) -> None:
    app.answer = Match("message:7", Effect.CONFLICT)
    push(account)
    digest_all()
    assert only().state == "conflict"


def test_an_unknown_word_changes_nothing_and_is_told_apart(app: App, account: Account) -> None:
    push(account, "Teleported")
    digest_all()
    assert (only().state, only().problem, app.heard) == ("unrecognised", "unknown_word", [])


def test_of_several_reports_in_one_request_each_is_published(app: App, account: Account) -> None:
    push_json(account, [{"uid": f"u{number}", "DLRStatus": "Pending"} for number in range(3)])
    digest_all()
    assert [news.position for news in app.heard] == [0, 1, 2]
    assert (only().events, len(only().outcomes)) == (3, 3)


def test_the_result_of_a_check_is_told_from_a_delivery_report(app: App) -> None:
    push_get(make_account("otpservice"), "STATUS=SUCCESS&TYPE=1&CODE=200&MSGID=9&EXTID=e1")
    digest_all()
    assert (only().kind, only().says) == ("verification", "succeeded")


def test_a_provider_that_is_not_installed_any_more_is_named(app: App, account: Account) -> None:
    push(account)
    Account.objects.update(provider="gone")
    digest_all()
    assert (only().state, only().problem) == ("unrecognised", "no_client")


# --- what matches nothing --------------------------------------------------------------


def test_what_matches_nothing_is_tried_again_by_itself(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    digest_all()
    row = only()
    assert row.state == "unmatched"
    assert row.next_try_at is not None
    app.answer = Match("message:7")
    with time_machine.travel(row.next_try_at + timedelta(seconds=1)):
        assert process.digest_due() == 1
    assert only().state == "applied"


def test_after_a_while_it_is_left_to_staff(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    with time_machine.travel(timezone.now()) as clock:
        for _ in process.RETRIES:
            clock.shift(timedelta(days=1))
            assert process.digest_due() == 1
        clock.shift(timedelta(days=1))
        process.digest_due()
        clock.shift(timedelta(days=30))
        assert process.digest_due() == 0
    assert (only().state, only().next_try_at) == ("unmatched", None)


def test_the_same_callback_again_is_looked_for_again(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    digest_all()
    Callback.objects.update(next_try_at=None)
    push(account)
    app.answer = Match("message:7")
    assert process.digest_due() == 1
    assert only().state == "applied"


def test_a_person_can_have_it_read_again(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    digest_all()
    app.answer = Match("message:7")
    process.process_again(Callback.objects.all())
    process.digest_due()
    assert only().state == "applied"


def test_a_row_that_staff_reset_while_it_is_read_is_read_again(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    digest_all()
    Callback.objects.update(next_try_at=timezone.now())
    app.meanwhile = lambda: process.process_again(Callback.objects.all())
    process.digest_due()
    row = only()
    assert row.state == "received"
    assert row.next_try_at is not None
    assert row.next_try_at <= timezone.now()


def test_the_result_of_another_process_stands(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    settled = {"state": "applied", "next_try_at": None, "failures": 0}
    app.meanwhile = lambda: Callback.objects.update(**settled)
    process.digest_due()
    assert (only().state, only().next_try_at, only().failures) == ("applied", None, 0)


# --- when reading fails -------------------------------------------------------------------


def test_a_row_that_cannot_be_read_keeps_none_of_the_others(app: App, account: Account) -> None:
    push(account)
    push_json(account, {"uid": "u2", "DLRStatus": "Delivered"})
    first, second = Callback.objects.order_by("pk")

    def hear(news: ReceivedEvent) -> Match | None:
        if news.callback_id == first.pk:
            raise ValueError("cannot")
        return Match("message:8")

    events._subscribers[DeliveryReported] = [hear]
    process.digest_due()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("received", "applied")


def test_a_row_that_never_can_be_read_is_put_aside(app: App, account: Account) -> None:
    app.fault = ValueError("cannot")
    push(account)
    with time_machine.travel(timezone.now()) as clock:
        for _ in range(process.MOST_ATTEMPTS + 1):
            process.digest_due()
            clock.shift(timedelta(minutes=2))
        assert process.digest_due() == 0
    assert (only().state, only().problem) == ("unrecognised", "portal_fault")


def test_what_killed_its_worker_is_tried_alone(app: App, account: Account) -> None:
    for number in range(3):
        push_json(account, {"uid": f"u{number}", "DLRStatus": "Delivered"})
    long_ago = timezone.now() - timedelta(minutes=5)
    Callback.objects.update(failures=1, next_try_at=long_ago)
    assert process.digest_due() == 1


def test_a_database_that_is_away_costs_no_attempt_of_the_others(app: App, account: Account) -> None:
    app.fault = OperationalError("gone")
    push(account)
    with pytest.raises(OperationalError):
        process.digest_due()
    assert only().state == "received"


def test_one_report_that_cannot_be_applied_undoes_none_of_its_neighbours(
    app: App, account: Account
) -> None:
    push_json(account, [{"uid": f"u{number}", "DLRStatus": "Delivered"} for number in range(3)])
    heard: list[int] = []

    def hear(news: ReceivedEvent) -> Match | None:
        if news.position == 1:
            raise ValueError("cannot")
        heard.append(news.position)
        return Match("message:8")

    events._subscribers[DeliveryReported] = [hear]
    digest_all()
    assert heard == [0, 2]
    assert only().state == "received"


def test_what_no_time_is_left_for_is_given_back_untried(
    app: App, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        push_json(account, {"uid": f"u{number}", "DLRStatus": "Delivered"})
    monkeypatch.setattr(process, "LONGEST_RUN", -1.0)
    process.digest_due()
    rows = Callback.objects.all()
    assert {(row.state, row.tries, row.failures) for row in rows} == {("received", 0, 0)}


def test_however_often_it_comes_again_it_goes_on_being_looked_for(
    app: App, account: Account
) -> None:
    app.answer = None
    for _ in range(len(process.RETRIES) + 3):
        push(account)
        process.digest([only().pk])
    assert only().next_try_at is not None


def test_what_was_unmatched_and_then_fails_is_put_aside_too(app: App, account: Account) -> None:
    app.answer = None
    push(account)
    digest_all()
    app.fault = ValueError("cannot")
    with time_machine.travel(timezone.now()) as clock:
        for _ in range(process.MOST_ATTEMPTS + 1):
            clock.shift(timedelta(minutes=2))
            process.digest_due()
    assert (only().state, only().problem) == ("unrecognised", "portal_fault")


# --- by the queue ----------------------------------------------------------------------------


def test_the_queue_reads_what_came_in(
    app: App, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LINGER", 0.0)
    push(account)
    assert not tasks.digest_callbacks()
    assert only().state == "applied"


def test_of_two_digests_one_leaves_at_once(app: App, account: Account) -> None:
    push(account)
    with only_one("callbacks: digest", seconds=60) as keep:
        assert keep is not None
        assert tasks.digest_callbacks()
    assert only().state == "received"


def test_an_address_remembers_when_it_was_last_used(app: App, account: Account) -> None:
    row = push(account)
    digest_all()
    assert CallbackToken.objects.get(account=account).last_used_at == row.received_at
