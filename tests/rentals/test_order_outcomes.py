"""What the result of placing an order does to its row, and forms that are sent twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from providers.engine import retry
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason
from rentals import place_orders, placement_results
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.orders import make_order, make_rented
from tests.factories.staff import make_user

from .test_poll_intervals import make_rental

pytestmark = pytest.mark.django_db


def make_placing(**fields: Any) -> Order:
    return make_order(**{"state": "placing", "handed_over_at": timezone.now(), **fields})


def apply_error(order: Order, error: GatewayError) -> datetime:
    now = timezone.now()
    placement_results.apply_error(Order.objects.filter(pk=order.pk), error, now)
    order.refresh_from_db()
    return now


def apply_placed(order: Order, provider_id: str) -> datetime:
    now = timezone.now()
    rental = make_rental(order, "pending", order_id=provider_id, phone="+6281234567890")
    placement_results.apply_placed(Order.objects.filter(pk=order.pk), rental, now)
    order.refresh_from_db()
    return now


# --- what every error records --------------------------------------------

ERRORS = {
    "unknown": OutcomeUnknown(Reason.TIMED_OUT, words="too\x00late", http_status=504),
    "refused": Refused(Reason.PARAMETERS, words="too\x00late", http_status=504),
    "not_created": NotDone(Reason.PORTAL_FAULT, words="too\x00late", http_status=504),
    "queued": NotDone(Reason.UNREACHABLE, words="too\x00late", http_status=504),
}


@pytest.mark.parametrize("state", ERRORS)
def test_error_is_recorded_and_the_claim_released(state: str) -> None:
    order, error = make_placing(claim=uuid4()), ERRORS[state]
    now = apply_error(order, error)
    assert (order.state, order.reason, order.words) == (state, error.reason, "too␀late")
    assert (order.http_status, order.claim) == (504, None)
    assert order.answered_at == order.changed_at == now
    assert order.ended_at == (now if state in ("refused", "not_created") else None)
    assert (order.handed_over_at is None) == (state == "queued")


@pytest.mark.parametrize(
    ("seconds_left", "state"), [(None, "refused"), (15, "refused"), (16, "queued")]
)
def test_unavailable_number_is_retried_until_keep_trying_ends(
    seconds_left: int | None, state: str
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        now = timezone.now()
        until = None if seconds_left is None else now + timedelta(seconds=seconds_left)
        order = make_placing(keep_trying_until=until, claim=uuid4())
        apply_error(order, Refused(Reason.NO_NUMBER_AVAILABLE, words="none left"))
    assert (order.state, order.reason, order.words) == (state, "no_number_available", "none left")
    assert order.claim is None
    if state == "queued":
        assert (order.not_before, order.handed_over_at) == (now + timedelta(seconds=15), None)
        assert order.ended_at is None


def test_other_refusals_end_an_order_despite_keep_trying() -> None:
    order = make_placing(keep_trying_until=timezone.now() + timedelta(hours=1))
    apply_error(order, Refused(Reason.PARAMETERS))
    assert order.state == "refused"


# --- calls that were certainly not made ----------------------------------------


@pytest.mark.parametrize(("tries", "seconds"), [(0, 2), (1, 10)])
def test_call_that_was_not_made_is_queued_again_with_a_delay(tries: int, seconds: int) -> None:
    order = make_placing(tries=tries)
    now = apply_error(order, NotDone(Reason.UNREACHABLE))
    assert (order.state, order.tries, order.handed_over_at) == ("queued", tries + 1, None)
    assert order.not_before == now + timedelta(seconds=seconds)


def test_third_call_that_was_not_made_ends_the_order() -> None:
    order = make_placing(tries=2)
    now = apply_error(order, NotDone(Reason.UNREACHABLE))
    assert (order.state, order.tries, order.ended_at) == ("not_created", 3, now)


@pytest.mark.parametrize("reason", sorted(retry.HOPELESS))
def test_hopeless_reason_is_not_retried(reason: Reason) -> None:
    order = make_placing()
    now = apply_error(order, NotDone(reason))
    assert (order.state, order.reason, order.ended_at) == ("not_created", reason, now)


def test_rate_limit_does_not_count_as_a_try() -> None:
    order = make_placing(tries=2)
    now = apply_error(order, NotDone(Reason.RATE_LIMITED))
    assert (order.state, order.tries, order.not_before) == ("queued", 2, now)


def test_error_for_a_deleted_order_changes_nothing() -> None:
    order = make_placing()
    Order.objects.all().delete()
    placement_results.apply_error(
        Order.objects.filter(pk=order.pk), NotDone(Reason.UNREACHABLE), timezone.now()
    )
    assert not Order.objects.exists()


@pytest.mark.parametrize("state", ["queued", "unknown", "pending", "cancelled"])
def test_late_error_does_not_queue_an_order_that_is_not_being_placed(state: str) -> None:
    order = make_placing(state=state)
    apply_error(order, NotDone(Reason.UNREACHABLE))
    assert (order.state, order.tries, order.reason) == (state, 0, "")


# --- numbers that were rented --------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "pending", "cancelled", "completed"])
def test_order_that_is_not_being_placed_takes_no_number(state: str) -> None:
    order = make_placing(state=state)
    apply_placed(order, "4711")
    assert (order.state, order.provider_id) == (state, "")


@pytest.mark.parametrize("state", ["placing", "unknown", "not_created"])
def test_rented_number_overrides_unknown_and_not_created(state: str) -> None:
    order = make_placing(state=state, reason="cut_off", claim=uuid4())
    now = apply_placed(order, "4711")
    assert (order.state, order.provider_id, order.phone) == ("pending", "4711", "+6281234567890")
    assert (order.reason, order.claim, order.answered_at) == ("", None, now)


def test_number_of_another_order_leaves_the_outcome_unknown() -> None:
    account = make_account("gosms")
    make_rented(account, provider_id="4711")
    order = make_placing(account=account, claim=uuid4())
    now = apply_placed(order, "4711")
    assert (order.state, order.reason) == ("unknown", "contradiction")
    assert order.answered_at == order.changed_at == now
    assert (order.words, order.provider_id, order.claim) == ("order_id 4711", "", None)


def test_same_provider_id_at_another_account_is_no_conflict() -> None:
    make_rented(make_account("gosms"), provider_id="4711")
    order = make_placing()
    apply_placed(order, "4711")
    assert (order.state, order.provider_id) == ("pending", "4711")


# --- forms ---------------------------------------------------------------------


def test_form_sent_twice_returns_the_orders_of_the_first() -> None:
    by = make_user("rentals.rent_order")
    rent_request = place_orders.RentRequest(make_account("gosms"), "whatsapp", "ID", count=2)
    first, is_new = place_orders.place(rent_request, by=by, form_token="same")
    again, is_new_again = place_orders.place(rent_request, by=by, form_token="same")
    assert (is_new, is_new_again) == (True, False)
    assert [order.pk for order in again] == [order.pk for order in first]
    assert Order.objects.count() == 2


def test_form_token_of_another_person_is_rejected() -> None:
    rent_request = place_orders.RentRequest(make_account("gosms"), "whatsapp", "ID")
    place_orders.place(rent_request, by=make_user("rentals.rent_order"), form_token="same")
    with pytest.raises(IntegrityError):
        place_orders.place(rent_request, by=make_user("rentals.rent_order"), form_token="same")
    assert Order.objects.count() == 1


def test_orders_without_a_form_are_never_deduplicated() -> None:
    rent_request = place_orders.RentRequest(make_account("gosms"), "whatsapp", "ID")
    place_orders.place(rent_request, by=None, form_token=None)
    _, is_new = place_orders.place(rent_request, by=None, form_token=None)
    assert is_new
    assert place_orders.orders_of_form(None, None) == []
