"""Who asked for an order to be cancelled, and what follows from the order's own answers."""

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
from rentals.engine.cancel_source import CancellingSource
from rentals.models import Cancel, Order
from tests.factories.orders import change, make_rented
from tests.factories.staff import make_user
from tests.support.threads import at_once

from .test_poll_intervals import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def by() -> User:
    return make_user("rentals.rent_order", "rentals.cancel_order")


def told(order: Order, state: str, *, asked_ago: int = 0) -> Order:
    now = timezone.now()
    asked_at = now - timedelta(seconds=asked_ago)
    apply_order_state.apply(order.pk, said(order, state), now, whole=True, asked_at=asked_at)
    order.refresh_from_db()
    return order


def asked(order: Order, by: User, state: str, *, then_rent: bool = False) -> Cancel:
    """A cancel that was asked for and has come to this."""
    assert cancel_requests.ask(order, by, then_rent=then_rent)
    row = Cancel.objects.filter(order=order).latest("pk")
    Cancel.objects.filter(pk=row.pk).update(state=state, answered_at=timezone.now())
    row.refresh_from_db()
    return row


def rented_instead(order: Order) -> int:
    return Order.objects.filter(instead_of=order).count()


def test_two_wishes_for_another_number_rent_one(by: User) -> None:
    order = make_rented()
    asked(order, by, "not_done", then_rent=True)
    asked(order, by, "accepted", then_rent=True)
    told(order, "cancelled")
    assert rented_instead(order) == 1


def test_whoever_only_cancels_at_last_rents_nothing(by: User) -> None:
    order = make_rented()
    asked(order, by, "not_done", then_rent=True)
    asked(order, by, "accepted")
    told(order, "cancelled")
    assert rented_instead(order) == 0


@pytest.mark.parametrize("state", ["refused", "not_done"])
def test_a_cancel_that_failed_rents_nothing_when_the_order_ends_later(by: User, state: str) -> None:
    order = make_rented()
    asked(order, by, state, then_rent=True)
    told(order, "cancelled")
    assert rented_instead(order) == 0


def test_a_second_answer_that_it_is_cancelled_rents_no_second_number(by: User) -> None:
    order = make_rented()
    asked(order, by, "accepted", then_rent=True)
    told(order, "cancelled")
    told(order, "cancelled")
    assert rented_instead(order) == 1


def test_who_may_not_rent_any_more_gets_no_other_number(by: User) -> None:
    order = make_rented()
    asked(order, by, "accepted", then_rent=True)
    User.objects.filter(pk=by.pk).update(is_active=False)
    told(order, "cancelled")
    order.refresh_from_db()
    assert (rented_instead(order), order.warnings) == (0, ["another_not_allowed"])


def test_while_the_outcome_of_a_cancel_is_unknown_no_other_is_sent(by: User) -> None:
    order = make_rented()
    asked(order, by, "unclear")
    assert not cancel_requests.ask(order, by)


def test_an_answer_to_a_question_from_before_a_cancel_does_not_decide_it(by: User) -> None:
    order = make_rented()
    cancel = asked(order, by, "unclear")
    told(order, "pending", asked_ago=5)
    cancel.refresh_from_db()
    assert cancel.state == "unclear"
    told(order, "pending")
    cancel.refresh_from_db()
    assert cancel.state == "not_done"


def test_nothing_is_sent_for_an_order_that_is_cancelled_already(by: User) -> None:
    order = make_rented()
    cancel = asked(order, by, "queued")
    told(order, "cancelled")
    cancel.refresh_from_db()
    assert cancel.state == "not_done"


def test_a_cancel_that_nobody_wrote_down_is_given_up_though_its_loop_lives(by: User) -> None:
    order = make_rented()
    cancel, claim = asked(order, by, "sending"), uuid4()
    heartbeats.beat(claim)
    for minutes, state in ((5, "sending"), (11, "unclear")):
        then = timezone.now() - timedelta(minutes=minutes)
        Cancel.objects.update(claim=claim, claimed_at=then, handed_over_at=then)
        CancellingSource().sweep()
        cancel.refresh_from_db()
        assert cancel.state == state


@pytest.mark.parametrize(("state", "decided"), [("cancelled", "accepted"), ("received", "refused")])
def test_lost_cancel_of_an_ended_order_is_decided_by_the_order(
    by: User, state: str, decided: str
) -> None:
    order = make_rented()
    cancel = asked(order, by, "sending")
    long_ago = timezone.now() - timedelta(minutes=3)
    Cancel.objects.update(claim=uuid4(), claimed_at=long_ago, handed_over_at=long_ago)
    told(order, state)
    CancellingSource().sweep()
    cancel.refresh_from_db()
    assert cancel.state == decided


def test_schedule_decides_cancels_left_unclear_beside_an_ended_order(by: User) -> None:
    ended, waiting = make_rented(), make_rented()
    left, open_one = asked(ended, by, "unclear"), asked(waiting, by, "unclear")
    change(ended, state="cancelled", next_poll_at=None)
    tasks.read_lists()
    left.refresh_from_db()
    open_one.refresh_from_db()
    assert (left.state, open_one.state) == ("accepted", "unclear")


@pytest.mark.parametrize(
    ("earlier", "minutes", "again"),
    [("not_done", 2, True), ("not_done", 0, False), ("refused", 2, False)],
)
def test_a_cancel_by_itself_is_repeated_only_where_it_did_not_happen(
    by: User, earlier: str, minutes: int, again: bool
) -> None:
    now = timezone.now()
    order = make_rented(cancel_at=now)
    cancel = asked(order, by, earlier)
    Cancel.objects.filter(pk=cancel.pk).update(asked_at=now - timedelta(minutes=minutes))
    assert cancel_requests.ask_for_those_without_sms(now) == again


def test_an_sms_ends_the_wish_to_cancel(by: User) -> None:
    order = change(make_rented())
    cancel = asked(order, by, "queued", then_rent=True)
    told(order, "received")
    cancel.refresh_from_db()
    assert (cancel.state, rented_instead(order)) == ("refused", 0)


@pytest.mark.django_db(transaction=True)
def test_asking_again_and_the_answer_to_a_cancel_do_not_deadlock(by: User) -> None:
    order = make_rented()
    assert cancel_requests.ask(order, by)
    Cancel.objects.filter(order=order).update(state="sending")
    parts, moved = iter(("answer", "ask")), Barrier(2)

    def one() -> None:
        # As the engine writes an answer down: first the cancel, then its order.
        if next(parts) == "answer":
            with transaction.atomic():
                Cancel.objects.filter(order=order).update(state="accepted")
                moved.wait()
                sleep(0.3)
                Order.objects.select_for_update().get(pk=order.pk)
        else:
            moved.wait()
            cancel_requests.ask(order, by)

    at_once(one, 2)
    assert Cancel.objects.filter(order=order, state="accepted").count() == 1
