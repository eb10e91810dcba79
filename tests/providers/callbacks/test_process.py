"""Processing of stored callbacks."""

from __future__ import annotations

import pytest

from providers import events, tasks
from providers.callbacks import process
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import DeliveryReported
from providers.models import Account, Callback, CallbackToken
from providers.task_leases import hold_task_lease
from tests.factories.accounts import make_account

from .pushes import only_callback, process_received, push_get, push_json, push_report
from .subscriber import Subscriber

pytestmark = pytest.mark.django_db


def test_parsed_event_is_published_with_its_position(app: Subscriber, account: Account) -> None:
    row = push_report(account)
    process_received()
    (received,) = app.received
    assert (received.account, received.callback_id, received.position, received.at) == (
        account,
        row.pk,
        0,
        row.received_at,
    )
    assert (received.event.reference, received.event.provider_id) == ("u1", "5")


def test_row_stores_the_parsed_report_and_its_subject(app: Subscriber, account: Account) -> None:
    push_report(account, "DELIVRD")
    process_received()
    row = only_callback()
    assert (row.state, row.kind, row.says, row.words) == (
        "applied",
        "delivery",
        "delivered",
        "DELIVRD 000",
    )
    assert (row.subject, row.matched_by, row.next_try_at) == ("message:7", "reference", None)


def test_conflicting_match_sets_the_state_conflict(app: Subscriber, account: Account) -> None:
    app.match = Match("message:7", Effect.CONFLICT)
    push_report(account)
    process_received()
    assert only_callback().state == "conflict"


def test_unknown_status_word_is_unrecognised_and_not_published(
    app: Subscriber, account: Account
) -> None:
    push_report(account, "Teleported")
    process_received()
    assert (only_callback().state, only_callback().problem, app.received) == (
        "unrecognised",
        "unknown_word",
        [],
    )


def test_each_report_of_a_request_is_published(app: Subscriber, account: Account) -> None:
    push_json(account, [{"uid": f"u{number}", "DLRStatus": "Pending"} for number in range(3)])
    process_received()
    assert [received.position for received in app.received] == [0, 1, 2]
    assert (only_callback().events, len(only_callback().outcomes)) == (3, 3)


def test_verification_result_is_stored_as_its_own_kind(app: Subscriber) -> None:
    push_get(make_account("otpservice"), "STATUS=SUCCESS&TYPE=1&CODE=200&MSGID=9&EXTID=e1")
    process_received()
    assert (only_callback().kind, only_callback().says) == ("verification", "succeeded")


def test_callback_of_a_removed_provider_has_its_own_problem(
    app: Subscriber, account: Account
) -> None:
    push_report(account)
    Account.objects.update(provider="gone")
    process_received()
    assert (only_callback().state, only_callback().problem) == ("unrecognised", "no_client")


def test_result_of_another_process_is_kept(app: Subscriber, account: Account) -> None:
    app.match = None
    push_report(account)
    settled = {"state": "applied", "next_try_at": None, "failures": 0}
    app.during_event = lambda: Callback.objects.update(**settled)
    process.process_due()
    assert (only_callback().state, only_callback().next_try_at, only_callback().failures) == (
        "applied",
        None,
        0,
    )


# --- failures ------------------------------------------------------------


def test_failing_row_does_not_stop_other_rows(app: Subscriber, account: Account) -> None:
    push_report(account)
    push_json(account, {"uid": "u2", "DLRStatus": "Delivered"})
    first, second = Callback.objects.order_by("pk")

    def handle(received: ReceivedEvent) -> Match | None:
        if received.callback_id == first.pk:
            raise ValueError("cannot")
        return Match("message:8")

    events._subscribers[DeliveryReported] = [handle]
    process.process_due()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("received", "applied")


def test_failing_report_does_not_undo_other_reports_of_the_request(
    app: Subscriber, account: Account
) -> None:
    push_json(account, [{"uid": f"u{number}", "DLRStatus": "Delivered"} for number in range(3)])
    applied: list[int] = []

    def handle(received: ReceivedEvent) -> Match | None:
        if received.position == 1:
            raise ValueError("cannot")
        applied.append(received.position)
        return Match("message:8")

    events._subscribers[DeliveryReported] = [handle]
    process_received()
    assert applied == [0, 2]
    assert only_callback().state == "received"


# --- by the queue ------------------------------------------------------------


def test_queue_task_processes_received_callbacks(
    app: Subscriber, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LINGER", 0.0)
    push_report(account)
    assert not tasks.digest_callbacks()
    assert only_callback().state == "applied"


def test_second_concurrent_run_ends_at_once(app: Subscriber, account: Account) -> None:
    push_report(account)
    with hold_task_lease("callbacks: digest", seconds=60) as keep:
        assert keep is not None
        assert tasks.digest_callbacks()
    assert only_callback().state == "received"


def test_last_use_of_an_address_is_recorded(app: Subscriber, account: Account) -> None:
    row = push_report(account)
    process_received()
    assert CallbackToken.objects.get(account=account).last_used_at == row.received_at
