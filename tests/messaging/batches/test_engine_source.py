"""Batches in the engine: one message per number, pausing, cancelling, and consistent figures."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from messaging.batches import create, lifecycle, progress, tasks
from messaging.models import Batch, Message
from messaging.presentation.batch_labels import shown_state
from providers import accounts
from providers.daily_limits import LimitReached, caps_of, usage_of
from providers.engine.loop import Loop
from providers.models import Account, DailyLimit
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.clock_steps import note_step
from tests.support.engine import run_engine, run_rounds, run_sweeps
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def has_ended(batch: Batch) -> bool:
    lifecycle.finish_completed()
    batch.refresh_from_db()
    return batch.state in ("finished", "cancelled")


def adds_up(batch: Batch) -> bool:
    figures = progress.progress_of(batch)
    return figures.waiting + figures.sending + figures.out + figures.cancelled == figures.total


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_every_number_of_a_batch_gets_one_message(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=8)
    batch = start_batch(make_batch(numbers(200), account))
    run_engine(lambda: has_ended(batch))
    sent = [entry.fields["phonenumber"] for entry in sandbox.book.entries("haorui", accepted=True)]
    assert sorted(map(str, sent)) == [f"86139{index:08}" for index in range(200)]
    assert (batch.state, states()) == ("finished", {"submitted": 200})


def test_two_batches_to_the_same_numbers_each_send_once(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=8)
    both = [make_batch(numbers(40), account, text=text) for text in ("One.", "Two.")]
    for batch in both:
        start_batch(batch)
    run_engine(lambda: all(map(has_ended, both)))
    sent = sorted(
        (str(entry.fields["textmessage"]), str(entry.fields["phonenumber"]))
        for entry in sandbox.book.entries("haorui", accepted=True)
    )
    assert sent == sorted((text, f"86139{i:08}") for text in ("One.", "Two.") for i in range(40))


def test_concurrent_fan_outs_create_one_message_per_row(sandbox: Sandbox) -> None:
    batch = make_batch(numbers(2500), make_account("haorui", sandbox))
    lifecycle.start(batch, batch.created_by)
    at_once(lambda: tasks.lay_out(batch.pk), 3)
    tasks.lay_out(batch.pk)
    batch.refresh_from_db()
    assert (batch.laid_out, Message.objects.count()) == (2500, 2500)


def test_concurrent_starts_start_a_batch_once() -> None:
    batch = make_batch(numbers(3))
    assert sorted(at_once(lambda: lifecycle.start(batch, batch.created_by), 4)) == [
        False,
        False,
        False,
        True,
    ]


def test_a_paused_batch_waits_until_it_is_resumed(sandbox: Sandbox) -> None:
    batch = start_batch(make_batch(numbers(30), make_account("haorui", sandbox, in_flight=2)))
    left = count(3, -1)
    Loop(lambda: next(left) <= 0).run()
    assert lifecycle.pause(batch, batch.created_by)
    run_rounds()
    out = sandbox.book.count("haorui", "send")
    run_rounds(10)
    assert sandbox.book.count("haorui", "send") == out < 30
    assert adds_up(batch)
    assert lifecycle.resume(batch, batch.created_by)
    run_engine(lambda: has_ended(batch))
    assert sandbox.book.count("haorui", "send") == 30


def test_cancelling_a_batch_cancels_only_waiting_messages(
    sandbox: Sandbox,
) -> None:
    batch = start_batch(make_batch(numbers(30), make_account("haorui", sandbox, in_flight=2)))
    left = count(5, -1)
    Loop(lambda: next(left) <= 0).run()
    lifecycle.cancel(batch, batch.created_by)
    batch.refresh_from_db()
    assert adds_up(batch)
    tasks.cancel_rest(batch.pk)
    run_rounds()
    out = sandbox.book.count("haorui", "send", accepted=True)
    assert states() == {"submitted": out, "cancelled": 30 - out} if out else {"cancelled": 30}
    assert adds_up(batch)


def test_a_batch_over_the_daily_limit_does_not_start() -> None:
    by = make_user("messaging.bulk_message")
    DailyLimit.objects.create(user=by, what="messages", most=5)
    batch = make_batch(numbers(6), by=by)
    with pytest.raises(LimitReached):
        lifecycle.start(batch, by)
    batch.refresh_from_db()
    assert batch.state == "ready"


def used_limits(by: User, account: Account) -> list[int]:
    return [usage_of(cap) for cap in caps_of(account, by, DailyLimit.What.MESSAGES)]


def test_unsent_messages_of_a_cancelled_batch_are_returned_to_the_daily_limits(
    sandbox: Sandbox,
) -> None:
    account = make_account("haorui", sandbox, in_flight=2, daily_limit=100)
    batch = start_batch(make_batch(numbers(30), account))
    by = batch.created_by
    assert used_limits(by, account) == [30, 30]
    left = count(5, -1)
    Loop(lambda: next(left) <= 0).run()
    lifecycle.cancel(batch, by)
    for _ in range(2):
        tasks.cancel_rest(batch.pk)
    out = sandbox.book.count("haorui", "send", accepted=True)
    assert used_limits(by, account) == [out, out]


def test_unsent_rows_are_returned_to_the_limits_of_the_user_who_started_the_batch(
    sandbox: Sandbox,
) -> None:
    batch = make_batch(numbers(30), make_account(daily_limit=100))
    first, second = batch.created_by, make_user("messaging.bulk_message")
    lifecycle.start(batch, first)
    lifecycle.pause(batch, first)
    batch.refresh_from_db()
    lifecycle.resume(batch, second)
    lifecycle.cancel(batch, second)
    assert not lifecycle.cancel(batch, first)
    assert (used_limits(first, batch.account), used_limits(second, batch.account)) == (
        [0, 0],
        [0, 0],
    )


def test_a_stale_batch_object_cannot_start_a_rechecked_batch() -> None:
    seen = make_batch(numbers(3))
    create.recheck(seen, text="Another text.", number_column=None)
    tasks.read(seen.pk)
    assert not lifecycle.start(seen, seen.created_by)
    assert not lifecycle.schedule(seen, seen.created_by, timezone.now() + timedelta(hours=1))
    assert Batch.objects.get().state == "ready"


def test_resuming_counts_a_batch_once() -> None:
    batch = make_batch(numbers(3))
    lifecycle.schedule(batch, batch.created_by, timezone.now())
    lifecycle._pause(batch, lifecycle.LIMIT_REACHED, ("scheduled",))  # type: ignore[arg-type]
    batch.refresh_from_db()
    assert lifecycle.resume(batch, batch.created_by)
    lifecycle.pause(batch, batch.created_by)
    # `batch` still looks paused, as on an outdated page.
    assert not lifecycle.resume(batch, batch.created_by)
    assert used_limits(batch.created_by, batch.account) == [3]


def test_an_account_without_money_blocks_the_batch(
    sandbox: Sandbox,
) -> None:
    account = make_account("haorui", sandbox, in_flight=1, pausing_phrases="balance")
    sandbox.change_settings("haorui", price=10**9)
    batch = start_batch(make_batch(numbers(20), account))

    def is_paused() -> bool:
        account.refresh_from_db()
        return account.is_paused

    run_engine(is_paused)
    batch = Batch.objects.select_related("account").get()
    assert (shown_state(batch), batch.state) == ("blocked", "sending")
    assert states()["queued"] >= 17
    assert adds_up(batch)


def test_ten_refusals_in_a_row_block_the_batch_until_the_account_is_resumed(
    sandbox: Sandbox,
) -> None:
    account = make_account("haorui", sandbox, in_flight=1, pausing_phrases="")
    sandbox.change_account("haorui", active=False)
    batch = start_batch(make_batch(numbers(30), account))

    def is_paused() -> bool:
        account.refresh_from_db()
        return account.is_paused

    run_engine(is_paused)
    refused = states()["refused"]
    assert refused >= 10
    assert states() == {"refused": refused, "queued": 30 - refused}
    assert adds_up(batch)

    sandbox.change_account("haorui", active=True)
    accounts.resume(account)
    run_engine(lambda: has_ended(batch))
    assert states() == {"refused": refused, "submitted": 30 - refused}
    accepted = sandbox.book.entries("haorui", accepted=True)
    assert len({entry.reference for entry in accepted}) == len(accepted) == 30 - refused


def test_a_batch_pauses_when_its_sender_loses_the_permission(sandbox: Sandbox) -> None:
    batch = start_batch(make_batch(numbers(5), make_account("haorui", sandbox)))
    batch.created_by.user_permissions.clear()
    run_sweeps()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("paused", "not_allowed")
    assert sandbox.book.count("haorui", "send") == 0


def test_a_batch_that_stalled_for_a_day_is_paused(sandbox: Sandbox) -> None:
    batch = start_batch(make_batch(numbers(5), make_account("haorui", sandbox)))
    Batch.objects.update(moved_at=timezone.now() - lifecycle.STALLED_AFTER)
    run_sweeps()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("paused", "waited_too_long")
    assert sandbox.book.count("haorui", "send") == 0


def test_a_single_message_is_sent_before_the_rest_of_a_batch(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    start_batch(make_batch(numbers(60), account))
    left = count(4, -1)
    Loop(lambda: next(left) <= 0).run()
    single = make_message(account, recipient="+8613700000000")

    def is_sent() -> bool:
        single.refresh_from_db()
        return single.state == "submitted"

    run_engine(is_sent)
    assert Message.objects.filter(state="queued").count() > 30


def test_a_scheduled_batch_starts_at_its_time(sandbox: Sandbox) -> None:
    batch = make_batch(numbers(3), make_account("haorui", sandbox))
    soon = timezone.now() + timedelta(hours=1)
    lifecycle.schedule(batch, batch.created_by, soon)
    tasks.tend()
    assert not Message.objects.exists()
    Batch.objects.update(scheduled_for=timezone.now())
    tasks.tend()
    batch.refresh_from_db()
    assert (batch.state, batch.laid_out) == ("sending", 3)


def test_a_scheduled_batch_does_not_start_by_a_clock_that_was_just_set(sandbox: Sandbox) -> None:
    batch = make_batch(numbers(3), make_account("haorui", sandbox))
    lifecycle.schedule(batch, batch.created_by, timezone.now() + timedelta(hours=1))
    Batch.objects.update(scheduled_for=timezone.now())
    note_step()
    tasks.tend()
    batch.refresh_from_db()
    assert batch.state == "scheduled"
