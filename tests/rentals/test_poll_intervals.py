"""How often an order is polled, with a controlled clock (GoSMS document, 最佳实践 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from providers import clock
from providers.gateway.vocabulary import OrderState, Rental
from rentals import apply_order_state
from rentals.engine import lookup_errors
from rentals.engine.list_poll import RoundJob
from rentals.engine.list_poll_source import PollSource
from rentals.engine.lookup_source import LookupJob
from rentals.models import Order, Watch
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.support.clock_steps import note_step

pytestmark = pytest.mark.django_db


def make_rental(order: Order, state: str = "pending", **fields: Any) -> Rental:
    values: dict[str, Any] = {
        "phone": order.phone,
        "project": "whatsapp",
        "region": "ID",
        "price": order.price,
    }
    return Rental(
        **{
            "order_id": order.provider_id,
            "state": OrderState(state),
            "raw_state": state,
            **values,
            **fields,
        }
    )


def poll_seconds(order: Order, seconds: int, *, pending_until: int = 10**9) -> list[int]:
    """The seconds after its creation at which an order is polled.

    The provider states "pending" until `pending_until` and "received" from then on. A poll is
    attempted when it is due, in the second before, and every tenth second.
    """
    source, began, polled = PollSource(), timezone.now(), []
    due = order.next_poll_at
    with time_machine.travel(began, tick=False) as clock:
        for second in range(seconds + 1):
            now = began + timedelta(seconds=second)
            if second % 10 and (due is None or now < due - timedelta(seconds=1)):
                continue
            clock.move_to(now)
            for job in source.claim(order.account, 5, uuid4()):
                assert isinstance(job, LookupJob)
                polled.append(second)
                state = "received" if second >= pending_until else "pending"
                text = {"code": "482913", "content": "Your code"} if state == "received" else {}
                apply_order_state.apply(
                    order.pk, make_rental(order, state, **text), timezone.now(), from_lookup=True
                )
                due = Order.objects.get(pk=order.pk).next_poll_at
    return polled


def test_order_is_polled_every_3_then_5_then_10_seconds() -> None:
    polled = poll_seconds(make_rented(), 300)

    first = [one for one in polled if one <= 30]
    gaps = [later - earlier for earlier, later in pairwise(polled)]
    assert first == list(range(3, 31, 3))
    assert {gap for one, gap in zip(polled, gaps, strict=False) if 30 <= one < 120} == {5}
    assert {gap for one, gap in zip(polled, gaps, strict=False) if one >= 120} == {10}


def test_order_is_polled_to_its_end_and_not_five_minutes() -> None:
    polled = poll_seconds(make_rented(), 560, pending_until=550)
    assert polled[-1] == 550


def test_polling_stops_once_the_sms_has_arrived() -> None:
    order = make_rented()
    assert poll_seconds(order, 120, pending_until=9)[-1] == 9
    order.refresh_from_db()
    assert (order.state, order.next_poll_at) == ("received", None)


def test_polling_stops_if_the_provider_never_states_an_end() -> None:
    order = make_rented()

    polled = poll_seconds(order, 1200)

    order.refresh_from_db()
    assert 600 + 300 <= polled[-1] <= 600 + 310
    assert (order.state, order.next_poll_at) == ("expired_unconfirmed", None)


@pytest.mark.parametrize("state", ["completed", "cancelled", "expired"])
def test_every_final_state_stops_polling(state: str) -> None:
    order = make_rented()
    apply_order_state.apply(order.pk, make_rental(order, state), timezone.now(), from_lookup=True)
    order.refresh_from_db()
    assert (order.state, order.next_poll_at) == (state, None)


def test_order_in_unrecognised_state_is_polled_at_the_slowest_interval() -> None:
    order = make_rented()
    now = timezone.now()
    odd = make_rental(order, "unrecognised")
    apply_order_state.apply(order.pk, odd, now, from_lookup=True)
    order.refresh_from_db()
    assert order.state == "pending"
    assert order.next_poll_at == now + timedelta(seconds=10)


def test_order_not_found_is_polled_during_its_lifetime() -> None:
    order = make_rented()
    now = timezone.now()
    for _ in range(9):
        lookup_errors.note_not_found(order.pk, now, "order_not_found")
    order.refresh_from_db()
    assert (order.state, order.next_poll_at) == ("pending", now + timedelta(seconds=10))


def test_order_not_found_becomes_stale_after_its_lifetime() -> None:
    order = make_rented(expires_at=timezone.now())
    for _ in range(3):
        lookup_errors.note_not_found(order.pk, timezone.now(), "order_not_found")
    order.refresh_from_db()
    assert (order.state, order.reason, order.next_poll_at) == ("stale", "order_not_found", None)


def test_more_than_ten_pending_orders_are_polled_by_the_list() -> None:
    account = make_account("gosms")
    for _ in range(11):
        make_rented(account, next_poll_at=timezone.now())

    (job,) = PollSource().claim(account, 5, uuid4())

    assert isinstance(job, RoundJob)
    assert len(job.waiting) == 11
    assert Watch.objects.get(account=account).by_list
    assert PollSource().accounts_with_work([account.pk]) == set()


def test_ten_pending_orders_are_polled_one_by_one() -> None:
    account = make_account("gosms")
    for _ in range(10):
        make_rented(account, next_poll_at=timezone.now())

    jobs = PollSource().claim(account, 20, uuid4())

    assert len(jobs) == 10
    assert all(isinstance(job, LookupJob) for job in jobs)


def test_one_probe_a_minute_is_sent_after_401() -> None:
    account = make_account("gosms")
    for _ in range(5):
        make_rented(account, next_poll_at=timezone.now())
    now = timezone.now()
    Watch.objects.create(account=account, quiet_until=now + timedelta(seconds=60))
    source = PollSource()

    with time_machine.travel(now, tick=False) as clock:
        assert source.accounts_with_work([account.pk]) == set()
        clock.move_to(now + timedelta(seconds=61))
        assert len(source.claim(account, 5, uuid4())) == 1
        assert source.accounts_with_work([account.pk]) == set()


@pytest.mark.parametrize(
    "end",
    [
        lambda order, now: apply_order_state.apply(
            order.pk, make_rental(order, "pending"), now, from_lookup=True
        ),
        lambda order, now: lookup_errors.note_failed_lookup(order.pk, now),
        lambda order, now: lookup_errors.note_not_found(order.pk, now, "order_not_found"),
    ],
    ids=["the provider says pending", "the look-up failed", "the provider does not find it"],
)
def test_order_is_not_ended_by_a_clock_that_was_just_set(
    end: Callable[[Order, datetime], object],
) -> None:
    now = timezone.now()
    order = make_rented(expires_at=now - timedelta(hours=1), not_found=3)
    note_step()
    end(order, now)
    order.refresh_from_db()
    assert order.state == "pending"
    assert order.next_poll_at is not None
    clock.restore(None, None)
    end(order, now)
    order.refresh_from_db()
    assert order.state in ("expired_unconfirmed", "stale")
