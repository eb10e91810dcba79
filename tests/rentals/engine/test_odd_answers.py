"""Each state that a provider can state, applied to an order in each state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import OrderState as Stated
from providers.gateway.vocabulary import Reason
from rentals import apply_order_state, order_import
from rentals.engine.lookup_errors import apply_lookup_error
from rentals.models import Order
from rentals.states import ENDED_WHILE_PENDING, FROM_PROVIDER, ORDER_STATES, SUPERSEDED, OrderState
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.rentals.test_poll_intervals import make_rental

pytestmark = pytest.mark.django_db

S = OrderState


def make_in_state(state: OrderState) -> Order:
    return make_rented(state=state, changed_at=timezone.now() - timedelta(minutes=1))


def apply_answer(order: Order, stated: Stated, *, from_lookup: bool = True) -> Order:
    """Apply an answer to a lookup that left after the order reached its state."""
    now = timezone.now()
    apply_order_state.apply(
        order.pk, make_rental(order, stated), now, from_lookup=from_lookup, asked_at=now
    )
    order.refresh_from_db()
    return order


def expected_state(state: OrderState, stated: Stated) -> OrderState:
    target = FROM_PROVIDER.get(stated, S.PENDING)
    return target if target in ORDER_STATES.moves[state] else state


@pytest.mark.parametrize("stated", list(Stated))
@pytest.mark.parametrize("state", list(S))
def test_stated_state_moves_the_order_only_as_the_table_allows(
    state: OrderState, stated: Stated
) -> None:
    # An unrecognised state only proves that the order exists, so the order is polled.
    known_to_exist = stated == Stated.UNRECOGNISED and state in apply_order_state.WITH_SMS
    end = state if known_to_exist else expected_state(state, stated)
    assert apply_answer(make_in_state(state), stated).state == end


@pytest.mark.parametrize("stated", list(FROM_PROVIDER))
@pytest.mark.parametrize("state", list(S))
def test_stated_state_that_the_table_forbids_is_a_conflict(
    state: OrderState, stated: Stated
) -> None:
    order = apply_answer(make_in_state(state), stated)
    forbidden = (
        FROM_PROVIDER[stated] != state and FROM_PROVIDER[stated] not in ORDER_STATES.moves[state]
    )
    still_pending = state in ENDED_WHILE_PENDING and stated == Stated.PENDING
    assert order.conflict == (forbidden and not still_pending)
    states = [one["value"] for one in order.differing if one["field"] == "state"]
    assert states == ([stated.value] if order.conflict else [])


@pytest.mark.parametrize(
    ("state", "stated"),
    [(state, stated) for state, states in SUPERSEDED.items() for stated in sorted(states)],
)
def test_lagging_list_causes_no_conflict(state: OrderState, stated: str) -> None:
    order = apply_answer(make_in_state(state), Stated(stated), from_lookup=False)
    assert (order.state, order.conflict) == (state, False)


def test_answer_to_an_earlier_lookup_causes_no_conflict() -> None:
    order = make_rented(state="received")
    earlier = order.changed_at - timedelta(seconds=1)
    apply_order_state.apply(
        order.pk, make_rental(order, "pending"), timezone.now(), from_lookup=True, asked_at=earlier
    )
    order.refresh_from_db()
    assert (order.state, order.conflict) == ("received", False)


def test_repeated_conflict_is_recorded_once() -> None:
    order = make_in_state(S.COMPLETED)
    for _ in range(3):
        apply_answer(order, Stated.EXPIRED)
    assert [one["value"] for one in order.differing] == ["expired"]


@pytest.mark.parametrize("stated", list(Stated))
def test_no_stated_state_stops_the_rest_of_its_page(stated: Stated) -> None:
    account = make_account("gosms")
    odd = [make_rented(account, state=state) for state in S]
    last = make_rented(account)
    rentals = [make_rental(order, stated) for order in odd]
    order_import.import_page(
        account, [*rentals, make_rental(last, "received", code="482913")], timezone.now()
    )
    last.refresh_from_db()
    assert last.state == S.RECEIVED


@pytest.mark.parametrize(
    "error",
    [
        Refused(Reason.ORDER_NOT_FOUND),
        Refused(Reason.ORDER_EXPIRED),
        OutcomeUnknown(Reason.CONTRADICTION),
        NotDone(Reason.RATE_LIMITED),
    ],
    ids=lambda error: error.reason,
)
@pytest.mark.parametrize("state", list(S))
def test_lookup_error_never_moves_an_order_that_is_not_pending(
    state: OrderState, error: Refused | OutcomeUnknown | NotDone
) -> None:
    order = make_rented(state=state, not_found=2, expires_at=timezone.now() - timedelta(days=1))
    apply_lookup_error(order.pk, error, timezone.now())
    order.refresh_from_db()
    assert (order.state == state) == (state != S.PENDING)
