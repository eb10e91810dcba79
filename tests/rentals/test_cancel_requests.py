"""Requests to cancel an order, and how the order's own answers decide them."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from time import sleep
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from providers.engine import heartbeats
from rentals import apply_order_state, cancel_requests, tasks
from rentals.engine.cancel_source import CancelSource
from rentals.models import Cancel, Order
from tests.factories.orders import change, make_rented
from tests.factories.staff import make_user
from tests.support.threads import at_once

from .test_poll_intervals import make_rental

pytestmark = pytest.mark.django_db


@pytest.fixture
def by() -> User:
    return make_user("rentals.rent_order", "rentals.cancel_order")


def apply_answer(order: Order, state: str, *, asked_ago: int = 0) -> Order:
    now = timezone.now()
    asked_at = now - timedelta(seconds=asked_ago)
    apply_order_state.apply(
        order.pk, make_rental(order, state), now, from_lookup=True, asked_at=asked_at
    )
    order.refresh_from_db()
    return order


def make_cancel(order: Order, by: User, state: str, *, then_rent: bool = False) -> Cancel:
    """A requested cancel, moved to `state`."""
    assert cancel_requests.request_cancel(order, by, then_rent=then_rent)
    row = Cancel.objects.filter(order=order).latest("pk")
    Cancel.objects.filter(pk=row.pk).update(state=state, answered_at=timezone.now())
    row.refresh_from_db()
    return row


def count_replacements(order: Order) -> int:
    return Order.objects.filter(instead_of=order).count()


def test_two_requests_for_a_replacement_rent_one(by: User) -> None:
    order = make_rented()
    make_cancel(order, by, "not_done", then_rent=True)
    make_cancel(order, by, "accepted", then_rent=True)
    apply_answer(order, "cancelled")
    assert count_replacements(order) == 1


def test_latest_cancel_without_replacement_rents_nothing(by: User) -> None:
    order = make_rented()
    make_cancel(order, by, "not_done", then_rent=True)
    make_cancel(order, by, "accepted")
    apply_answer(order, "cancelled")
    assert count_replacements(order) == 0


@pytest.mark.parametrize("state", ["refused", "not_done"])
def test_failed_cancel_rents_nothing_when_the_order_ends_later(by: User, state: str) -> None:
    order = make_rented()
    make_cancel(order, by, state, then_rent=True)
    apply_answer(order, "cancelled")
    assert count_replacements(order) == 0


def test_repeated_cancelled_answer_rents_no_second_replacement(by: User) -> None:
    order = make_rented()
    make_cancel(order, by, "accepted", then_rent=True)
    apply_answer(order, "cancelled")
    apply_answer(order, "cancelled")
    assert count_replacements(order) == 1


def test_deactivated_person_gets_no_replacement(by: User) -> None:
    order = make_rented()
    make_cancel(order, by, "accepted", then_rent=True)
    User.objects.filter(pk=by.pk).update(is_active=False)
    apply_answer(order, "cancelled")
    order.refresh_from_db()
    assert (count_replacements(order), order.warnings) == (0, ["another_not_allowed"])


def test_unclear_cancel_blocks_another_one(by: User) -> None:
    order = make_rented()
    make_cancel(order, by, "unclear")
    assert not cancel_requests.request_cancel(order, by)


def test_answer_to_a_lookup_before_the_cancel_does_not_decide_it(by: User) -> None:
    order = make_rented()
    cancel = make_cancel(order, by, "unclear")
    apply_answer(order, "pending", asked_ago=5)
    cancel.refresh_from_db()
    assert cancel.state == "unclear"
    apply_answer(order, "pending")
    cancel.refresh_from_db()
    assert cancel.state == "not_done"


def test_queued_cancel_of_a_cancelled_order_is_not_sent(by: User) -> None:
    order = make_rented()
    cancel = make_cancel(order, by, "queued")
    apply_answer(order, "cancelled")
    cancel.refresh_from_db()
    assert cancel.state == "not_done"


def test_unrecorded_cancel_of_a_living_loop_becomes_unclear_after_ten_minutes(by: User) -> None:
    order = make_rented()
    cancel, claim = make_cancel(order, by, "sending"), uuid4()
    heartbeats.beat(claim)
    for minutes, state in ((5, "sending"), (11, "unclear")):
        then = timezone.now() - timedelta(minutes=minutes)
        Cancel.objects.update(claim=claim, claimed_at=then, handed_over_at=then)
        CancelSource().sweep()
        cancel.refresh_from_db()
        assert cancel.state == state


@pytest.mark.parametrize(("state", "decided"), [("cancelled", "accepted"), ("received", "refused")])
def test_lost_cancel_of_an_ended_order_is_decided_by_the_order(
    by: User, state: str, decided: str
) -> None:
    order = make_rented()
    cancel = make_cancel(order, by, "sending")
    long_ago = timezone.now() - timedelta(minutes=3)
    Cancel.objects.update(claim=uuid4(), claimed_at=long_ago, handed_over_at=long_ago)
    apply_answer(order, state)
    CancelSource().sweep()
    cancel.refresh_from_db()
    assert cancel.state == decided


def test_scheduled_task_decides_unclear_cancels_of_ended_orders(by: User) -> None:
    ended, waiting = make_rented(), make_rented()
    left, other = make_cancel(ended, by, "unclear"), make_cancel(waiting, by, "unclear")
    change(ended, state="cancelled", next_poll_at=None)
    tasks.read_lists()
    left.refresh_from_db()
    other.refresh_from_db()
    assert (left.state, other.state) == ("accepted", "unclear")


@pytest.mark.parametrize(
    ("earlier", "minutes", "again"),
    [("not_done", 2, True), ("not_done", 0, False), ("refused", 2, False)],
)
def test_automatic_cancel_is_repeated_only_if_it_was_not_done(
    by: User, earlier: str, minutes: int, again: bool
) -> None:
    now = timezone.now()
    order = make_rented(cancel_at=now)
    cancel = make_cancel(order, by, earlier)
    Cancel.objects.filter(pk=cancel.pk).update(asked_at=now - timedelta(minutes=minutes))
    assert cancel_requests.request_due_cancels(now) == again


def test_sms_refuses_a_queued_cancel(by: User) -> None:
    order = change(make_rented())
    cancel = make_cancel(order, by, "queued", then_rent=True)
    apply_answer(order, "received")
    cancel.refresh_from_db()
    assert (cancel.state, count_replacements(order)) == ("refused", 0)


@pytest.mark.django_db(transaction=True)
def test_second_request_and_recording_a_cancel_do_not_deadlock(by: User) -> None:
    order = make_rented()
    assert cancel_requests.request_cancel(order, by)
    Cancel.objects.filter(order=order).update(state="sending")
    parts, moved = iter(("answer", "ask")), Barrier(2)

    def one() -> None:
        # The engine records an answer in this order: first the cancel, then its order.
        if next(parts) == "answer":
            with transaction.atomic():
                Cancel.objects.filter(order=order).update(state="accepted")
                moved.wait()
                sleep(0.3)
                Order.objects.select_for_update().get(pk=order.pk)
        else:
            moved.wait()
            cancel_requests.request_cancel(order, by)

    at_once(one, 2)
    assert Cancel.objects.filter(order=order, state="accepted").count() == 1
