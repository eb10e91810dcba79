"""Each word of a provider about an order, from each state that the order can be in."""

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
from tests.rentals.test_poll_intervals import said

pytestmark = pytest.mark.django_db

S = OrderState


def in_state(state: OrderState) -> Order:
    return make_rented(state=state, changed_at=timezone.now() - timedelta(minutes=1))


def answer(order: Order, word: Stated, *, whole: bool = True) -> Order:
    """An answer to a question that left after the order came to its state."""
    now = timezone.now()
    apply_order_state.apply(order.pk, said(order, word), now, from_lookup=whole, asked_at=now)
    order.refresh_from_db()
    return order


def expected_end(state: OrderState, word: Stated) -> OrderState:
    target = FROM_PROVIDER.get(word, S.PENDING)
    return target if target in ORDER_STATES.moves[state] else state


@pytest.mark.parametrize("word", list(Stated))
@pytest.mark.parametrize("state", list(S))
def test_a_word_moves_the_order_only_where_the_table_allows_it(
    state: OrderState, word: Stated
) -> None:
    # Of a word that nobody knows only this follows: an order exists, and is followed.
    known_to_exist = word == Stated.UNRECOGNISED and state in apply_order_state.WITH_SMS
    end = state if known_to_exist else expected_end(state, word)
    assert answer(in_state(state), word).state == end


@pytest.mark.parametrize("word", list(FROM_PROVIDER))
@pytest.mark.parametrize("state", list(S))
def test_a_word_that_the_table_forbids_is_kept_as_a_conflict(
    state: OrderState, word: Stated
) -> None:
    order = answer(in_state(state), word)
    forbidden = (
        FROM_PROVIDER[word] != state and FROM_PROVIDER[word] not in ORDER_STATES.moves[state]
    )
    goes_on = state in ENDED_WHILE_PENDING and word == Stated.PENDING
    assert order.conflict == (forbidden and not goes_on)
    words = [one["value"] for one in order.differing if one["field"] == "state"]
    assert words == ([word.value] if order.conflict else [])


@pytest.mark.parametrize(
    ("state", "word"),
    [(state, word) for state, words in SUPERSEDED.items() for word in sorted(words)],
)
def test_a_list_that_lags_behind_contradicts_nothing(state: OrderState, word: str) -> None:
    order = answer(in_state(state), Stated(word), whole=False)
    assert (order.state, order.conflict) == (state, False)


def test_an_answer_to_an_earlier_question_contradicts_nothing() -> None:
    order = make_rented(state="received")
    earlier = order.changed_at - timedelta(seconds=1)
    apply_order_state.apply(
        order.pk, said(order, "pending"), timezone.now(), from_lookup=True, asked_at=earlier
    )
    order.refresh_from_db()
    assert (order.state, order.conflict) == ("received", False)


def test_a_conflict_says_so_once_however_often_it_is_answered() -> None:
    order = in_state(S.COMPLETED)
    for _ in range(3):
        answer(order, Stated.EXPIRED)
    assert [one["value"] for one in order.differing] == ["expired"]


@pytest.mark.parametrize("word", list(Stated))
def test_no_word_keeps_the_rest_of_its_list_from_being_read(word: Stated) -> None:
    account = make_account("gosms")
    odd = [make_rented(account, state=state) for state in S]
    last = make_rented(account)
    rentals = [said(order, word) for order in odd]
    order_import.import_page(
        account, [*rentals, said(last, "received", code="482913")], timezone.now()
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
def test_no_error_moves_an_order_that_is_not_pending(
    state: OrderState, error: Refused | OutcomeUnknown | NotDone
) -> None:
    order = make_rented(state=state, not_found=2, expires_at=timezone.now() - timedelta(days=1))
    apply_lookup_error(order.pk, error, timezone.now())
    order.refresh_from_db()
    assert (order.state == state) == (state != S.PENDING)
