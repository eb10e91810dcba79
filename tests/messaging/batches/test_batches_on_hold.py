"""Batches on hold: no member of staff can start, schedule or continue them before the release."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import do_not_send
from messaging.batches import create, lifecycle, tasks
from messaging.batches.progress import progress_of
from messaging.engine import claim_sql
from messaging.models import Batch, Message
from messaging.on_hold import count_on_hold, is_on_hold, on_hold
from messaging.presentation.batch_labels import shown_state, where_shown
from messaging.presentation.labels import shown_state as message_label
from providers.daily_limits import caps_of, usage_of
from providers.hold.holdable import holdables
from providers.models import DailyLimit, Hold
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.holds import begin_hold, claim_all, holdable
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

NAME = "batches"


@pytest.fixture
def by() -> User:
    return make_user("messaging.bulk_message", "messaging.view_batch", "messaging.view_message")


@pytest.fixture
def sending(by: User) -> Batch:
    return start_batch(make_batch(numbers(3), by=by))


def keep(batch: Batch) -> Hold:
    hold = begin_hold()
    batch.refresh_from_db()
    return hold


def release(batch: Batch, rows: list[int] | None = None) -> int:
    count = holdable(NAME).release(Hold.objects.get(), f"batch:{batch.pk}", rows, None)
    batch.refresh_from_db()
    return count


def discard(batch: Batch, rows: list[int] | None = None, by: User | None = None) -> int:
    hold = Hold.objects.get()
    count = holdable(NAME).discard(hold, f"batch:{batch.pk}", rows, by, "Sent already")
    batch.refresh_from_db()
    return count


def states(batch: Batch) -> list[str]:
    return sorted(batch.messages.values_list("state", flat=True))


def due() -> int:
    return len(claim_all())


# --- the hold begins ---------------------------------------------------------------------


def test_batch_that_sends_is_paused_and_its_claims_are_taken_back(sending: Batch) -> None:
    Message.objects.filter(batch=sending, batch_row=1).update(
        state="claimed", claim=uuid4(), claimed_at=timezone.now()
    )
    hold = keep(sending)
    assert (sending.state, sending.reason, sending.hold) == ("paused", "from_before", hold)
    assert states(sending) == ["queued"] * 3
    assert due() == 0
    assert shown_state(sending) == "on_hold"
    assert list(Batch.objects.filter(where_shown("on_hold"))) == [sending]
    assert not Batch.objects.filter(where_shown("paused")).exists()
    message = sending.messages.latest("pk")
    assert is_on_hold(message)
    assert message_label(message) == "on_hold"
    assert Message.objects.filter(on_hold()).count() == count_on_hold() == 3


def test_message_is_not_claimed_even_if_the_batch_was_read_before_the_hold(sending: Batch) -> None:
    keep(sending)
    now = timezone.now()
    for claiming in (False, True):
        condition = claim_sql.due_of_batch(sending.pk, now, claiming=claiming)
        with transaction.atomic():
            found = claim_sql.claim(condition, sending.account_id, 10, uuid4(), now)
        assert found == ([], [])


def test_staff_cannot_resume_start_or_schedule_it(sending: Batch, by: User) -> None:
    ready = make_batch(numbers(2, 100), sending.account, by=by)
    scheduled = make_batch(numbers(2, 200), sending.account, by=by)
    assert lifecycle.schedule(scheduled, by, timezone.now() - timedelta(seconds=1))
    keep(sending)
    for batch in (ready, scheduled):
        batch.refresh_from_db()
    assert not lifecycle.resume(sending, by)
    assert not lifecycle.resume(scheduled, by)
    assert not lifecycle.start(ready, by)
    assert not lifecycle.schedule(ready, by, timezone.now())
    assert lifecycle.start_due() == 0
    tasks.tend()
    assert due() == 0


def test_batch_checked_again_stays_on_hold(by: User) -> None:
    ready = make_batch(numbers(2), by=by)
    keep(ready)
    assert create.recheck(ready, text="Another text.", number_column=None)
    tasks.read(ready.pk)
    ready.refresh_from_db()
    assert ready.state == "ready"
    assert not lifecycle.start(ready, by)


def test_rows_that_become_messages_meanwhile_are_not_claimed(by: User) -> None:
    batch = make_batch(numbers(3), by=by)
    lifecycle.start(batch, by)
    keep(batch)
    tasks.lay_out(batch.pk)
    assert states(batch) == ["queued"] * 3
    assert due() == 0
    (group,) = holdable(NAME).groups(Hold.objects.get())
    assert group.undecided == 3


@pytest.mark.parametrize("action", ["continue", "confirm"])
def test_direct_post_changes_nothing_and_explains_why(
    client: Client, by: User, action: str
) -> None:
    batch = make_batch(numbers(2), by=by)
    if action == "continue":
        start_batch(batch)
    keep(batch)
    client.force_login(by)
    url = reverse(f"admin:messaging_batch_{action}", args=[batch.public_id])
    page = client.post(url, {"when": "now"}, follow=True).content.decode()
    assert "this is on hold. A manager decides." in page
    batch.refresh_from_db()
    assert batch.is_on_hold
    assert due() == 0


def test_page_shows_that_it_is_on_hold(client: Client, by: User, sending: Batch) -> None:
    keep(sending)
    client.force_login(by)
    page = client.get(reverse("admin:messaging_batch_change", args=[sending.public_id]))
    text = page.content.decode()
    assert "It is not known what of this batch was sent." in text
    assert "as far as is known here" in text
    assert ">Continue<" not in text
    assert "Whether the 3 that wait were sent before is not known." in text


# --- release -------------------------------------------------------------------------------


def test_released_batch_continues_once(sending: Batch, by: User) -> None:
    keep(sending)
    assert release(sending) == 3
    assert (sending.state, sending.reason, sending.hold) == ("sending", "", None)
    assert sending.answerable == by
    assert due() == 3
    assert release(sending) == 0
    assert due() == 0


def test_sender_without_permission_sends_nothing_after_the_release(
    sending: Batch, by: User
) -> None:
    keep(sending)
    by.user_permissions.clear()
    release(sending)
    lifecycle.pause_unpermitted()
    sending.refresh_from_db()
    assert (sending.state, sending.reason) == ("paused", "not_allowed")
    assert due() == 0


def test_scheduled_batch_is_released_for_its_time(by: User) -> None:
    at = timezone.now() + timedelta(hours=1)
    batch = make_batch(numbers(2), by=by)
    lifecycle.schedule(batch, by, at)
    keep(batch)
    (group,) = holdable(NAME).groups(Hold.objects.get())
    assert (group.undecided, group.icon) == (2, "calendar_clock")
    assert release(batch) == 2
    assert (batch.state, batch.scheduled_for, batch.hold) == ("scheduled", at, None)
    assert due() == 0


def test_scheduled_batch_whose_time_has_passed_starts_after_its_release(by: User) -> None:
    batch = make_batch(numbers(2), by=by)
    lifecycle.schedule(batch, by, timezone.now() + timedelta(hours=1))
    keep(batch)
    Batch.objects.update(scheduled_for=timezone.now() - timedelta(days=3))
    release(batch)
    tasks.tend()
    batch.refresh_from_db()
    assert (batch.state, due()) == ("sending", 2)


def test_batch_that_staff_paused_stays_paused(sending: Batch, by: User) -> None:
    lifecycle.pause(sending, by)
    keep(sending)
    release(sending)
    assert (sending.state, sending.paused_by, sending.hold) == ("paused", by, None)
    assert lifecycle.resume(sending, by)
    assert due() == 3


def test_ready_batch_stays_ready(by: User) -> None:
    batch = make_batch(numbers(2), by=by)
    keep(batch)
    assert release(batch) == 2
    assert batch.state == "ready"
    assert lifecycle.start(batch, by)


def test_number_listed_meanwhile_gets_nothing_after_the_release(sending: Batch) -> None:
    message = sending.messages.earliest("pk")
    keep(sending)
    do_not_send.add(message.recipient, "Asked for it", make_user())
    message.refresh_from_db()
    assert message.state == "queued"
    release(sending)
    assert due() == 2
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", "from_before")


def test_choice_of_rows_releases_nothing(sending: Batch) -> None:
    keep(sending)
    pks = list(sending.messages.values_list("pk", flat=True))
    assert release(sending, pks) == 0
    assert sending.is_on_hold


def test_batch_cancelled_after_its_release_ends_unknown_and_keeps_the_limits(
    sending: Batch, by: User
) -> None:
    (cap, *_) = caps_of(sending.account, by, DailyLimit.What.MESSAGES)
    used = usage_of(cap)
    keep(sending)
    assert release(sending) == 3
    assert lifecycle.cancel(sending, by)
    tasks.cancel_rest(sending.pk)
    messages = sending.messages.all()
    assert {(one.state, one.reason) for one in messages} == {("unknown", "from_before")}
    assert progress_of(sending).cancelled == 0
    assert usage_of(cap) == used


def test_rows_without_a_message_of_a_batch_cancelled_after_its_release_end_unknown(
    by: User,
) -> None:
    batch = make_batch(numbers(3), by=by)
    assert lifecycle.start(batch, by)
    keep(batch)
    assert release(batch) == 3
    assert lifecycle.cancel(batch, by)
    tasks.cancel_rest(batch.pk)
    assert states(batch) == ["unknown"] * 3


# --- discard -------------------------------------------------------------------------------


def test_dropped_batch_ends_unknown_and_keeps_the_limits(sending: Batch, by: User) -> None:
    (cap, *_) = caps_of(sending.account, by, DailyLimit.What.MESSAGES)
    used = usage_of(cap)
    keep(sending)
    manager = make_user()
    assert discard(sending, by=manager) == 3
    assert (sending.state, sending.ended_by, sending.reason) == (
        "cancelled",
        manager,
        "from_before",
    )
    assert progress_of(sending).count("unknown") == 3
    assert progress_of(sending).cancelled == 0
    tasks.cancel_rest(sending.pk)
    assert states(sending) == ["unknown"] * 3
    assert progress_of(sending).count("unknown") == 3
    assert usage_of(cap) == used
    assert due() == 0


def test_rows_without_a_message_end_unknown_too(by: User) -> None:
    batch = make_batch(numbers(3), by=by)
    lifecycle.start(batch, by)
    keep(batch)
    assert discard(batch) == 3
    tasks.tend()
    assert states(batch) == ["unknown"] * 3
    assert progress_of(batch).count("unknown") == 3


def test_killed_task_is_resumed(sending: Batch) -> None:
    keep(sending)
    discard(sending)
    tasks.tend()
    assert states(sending) == ["unknown"] * 3


def test_staff_may_cancel_it_but_its_messages_end_unknown(sending: Batch, by: User) -> None:
    keep(sending)
    assert lifecycle.cancel(sending, by)
    tasks.cancel_rest(sending.pk)
    assert states(sending) == ["unknown"] * 3


def test_batch_that_was_never_started_is_dropped_without_messages(by: User) -> None:
    batch = make_batch(numbers(2), by=by)
    keep(batch)
    assert discard(batch) == 2
    tasks.tend()
    assert (batch.state, batch.reason, states(batch)) == ("cancelled", "from_before", [])
    assert holdable(NAME).count_undecided(Hold.objects.get()) == 0


def test_some_rows_are_dropped_and_the_rest_is_released(sending: Batch) -> None:
    keep(sending)
    first = sending.messages.earliest("pk")
    assert discard(sending, [first.pk]) == 1
    first.refresh_from_db()
    assert (first.state, first.reason) == ("unknown", "from_before")
    assert release(sending) == 2
    assert due() == 2
    assert discard(sending, [first.pk]) == 0


@pytest.mark.django_db(transaction=True)
def test_two_managers_decide_a_batch_once(sending: Batch) -> None:
    hold = keep(sending)
    key = f"batch:{sending.pk}"
    turns = iter((True, False, True, False))

    def decide() -> int:
        if next(turns):
            return holdable(NAME).release(hold, key, None, None)
        return holdable(NAME).discard(hold, key, None, None, "Sent")

    assert sum(at_once(decide, 4)) == 3
    sending.refresh_from_db()
    tasks.tend()
    assert sending.state in ("sending", "cancelled")
    assert due() == (3 if sending.state == "sending" else 0)


@pytest.mark.parametrize("key", ["batch:", "batch:x", "batch:999999", "messages:1"])
def test_unknown_group_changes_nothing(sending: Batch, key: str) -> None:
    hold = keep(sending)
    assert holdable(NAME).release(hold, key, None, None) == 0
    assert holdable(NAME).discard(hold, key, None, None, "") == 0


# --- what is known -------------------------------------------------------------------------


def test_reports_settle_messages_and_finish_the_batch(sending: Batch) -> None:
    hold = keep(sending)
    now = timezone.now()
    Message.objects.filter(batch=sending, batch_row=1).update(state="delivered", reported_at=now)
    (group,) = holdable(NAME).groups(hold)
    assert (group.undecided, group.settled) == (2, 1)
    assert "1 was already sent: a report arrived." in group.facts
    Message.objects.filter(batch=sending).update(state="delivered", reported_at=now)
    holdable(NAME).settle_known(hold)
    sending.refresh_from_db()
    assert sending.state == "finished"
    assert holdable(NAME).count_undecided(hold) == 0


# --- a claim at the same moment ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("claims_first", [True, False])
def test_claim_at_the_same_moment_leaves_no_claimed_row(sending: Batch, claims_first: bool) -> None:
    """The second one waits for the first."""
    single = make_message(sending.account)
    started, turn = threading.Event(), iter((claims_first, not claims_first))

    def claim() -> None:
        condition = claim_sql.due_of_batch(sending.pk, timezone.now(), claiming=True)
        claim_sql.claim(condition, sending.account_id, 10, uuid4(), timezone.now())
        claim_sql.claim(
            claim_sql.due_singles(timezone.now()), sending.account_id, 9, uuid4(), timezone.now()
        )

    def hold() -> None:
        kept = Hold.objects.create(cause=Hold.Cause.BY_HAND)
        for one in holdables():
            one.hold(kept)

    def run() -> None:
        claims = next(turn)
        first = claims == claims_first
        if not first:
            assert started.wait(10)
        with transaction.atomic():
            (claim if claims else hold)()
            if first:
                started.set()
                time.sleep(0.3)

    at_once(run, 2)
    assert states(sending) == ["queued"] * 3
    single.refresh_from_db()
    assert single.state == "held"
