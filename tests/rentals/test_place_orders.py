"""Orders that a form creates, and the end of those that were not placed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from providers import daily_limits
from providers.models import Account, DailyLimit
from rentals import place_orders
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.orders import change, make_order, make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

HALF_AN_HOUR = timedelta(minutes=30)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


@pytest.fixture
def by() -> User:
    return make_user("rentals.rent_order")


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry per wake of the engine."""
    wakes: list[str] = []
    monkeypatch.setattr(place_orders, "wake_engine", lambda: wakes.append("wake"))
    return wakes


# --- what a form creates -----------------------------------------------------------


def test_orders_have_the_values_of_the_form(account: Account, by: User) -> None:
    before = make_rented(account)
    rent_request = place_orders.RentRequest(
        account, "telegram", "PH", count=3, keep_trying=20, cancel_after=7
    )
    earliest = timezone.now() + timedelta(minutes=20)
    made, is_new = place_orders.place(rent_request, by=by, form_token="form", instead_of=before)

    assert is_new
    rows = list(Order.objects.filter(form_token="form").order_by("position"))
    assert rows == made
    assert [row.position for row in rows] == [0, 1, 2]
    for row in rows:
        assert (row.account, row.project, row.region) == (account, "telegram", "PH")
        assert (row.created_by, row.held_by, row.instead_of) == (by, by, before)
        assert (row.state, row.cancel_after) == ("queued", 7)
        assert row.keep_trying_until is not None
        assert timedelta(0) <= row.keep_trying_until - earliest < timedelta(minutes=1)


def test_plain_request_is_one_order_without_further_conditions(account: Account) -> None:
    (order,), _ = place_orders.place(
        place_orders.RentRequest(account, "whatsapp", "ID"), by=None, form_token=None
    )
    assert Order.objects.count() == 1
    assert (order.keep_trying_until, order.cancel_after, order.instead_of) == (None, None, None)
    assert (order.created_by, order.held_by, order.form_token) == (None, None, None)


def test_new_orders_wake_the_engine(account: Account, by: User, wakes: list[str]) -> None:
    place_orders.place(
        place_orders.RentRequest(account, "whatsapp", "ID", count=2), by=by, form_token="form"
    )
    assert wakes == ["wake"]


def test_every_order_counts_towards_the_limit_of_its_account(by: User) -> None:
    account = make_account("gosms", daily_limit=5)
    rent_request = place_orders.RentRequest(account, "whatsapp", "ID", count=3)
    place_orders.place(rent_request, by=by, form_token="first")
    with pytest.raises(daily_limits.LimitReached):
        place_orders.place(rent_request, by=by, form_token="second")
    assert Order.objects.count() == 3


def test_orders_count_towards_the_limit_of_the_person_who_rents(account: Account, by: User) -> None:
    DailyLimit.objects.create(user=by, what=DailyLimit.What.ORDERS, most=1)
    rent_request = place_orders.RentRequest(account, "whatsapp", "ID")
    place_orders.place(rent_request, by=by, form_token="first")
    with pytest.raises(daily_limits.LimitReached):
        place_orders.place(rent_request, by=by, form_token="second")
    place_orders.place(rent_request, by=make_user("rentals.rent_order"), form_token="third")
    assert Order.objects.count() == 2


def test_orders_of_a_form_are_sorted_by_position(account: Account, by: User) -> None:
    made, _ = place_orders.place(
        place_orders.RentRequest(account, "whatsapp", "ID", 3), by=by, form_token="form"
    )
    Order.objects.filter(pk=made[0].pk).update(position=9)
    assert place_orders.orders_of_form("form", by) == [made[1], made[2], made[0]]
    assert place_orders.orders_of_form("form", make_user()) == []
    assert place_orders.orders_of_form("other", by) == []


def test_only_active_staff_with_the_permission_and_the_portal_itself_may_rent(by: User) -> None:
    assert place_orders.may_rent(None)
    assert place_orders.may_rent(by)
    assert not place_orders.may_rent(make_user())
    by.is_active = False
    assert not place_orders.may_rent(by)


def test_one_form_rents_fifty_numbers_at_most() -> None:
    assert place_orders.MAX_AT_ONCE == 50


# --- orders that were not placed ---------------------------------------------------


@pytest.mark.parametrize("age", [timedelta(0), HALF_AN_HOUR - MOMENT])
def test_order_may_be_placed_for_half_an_hour(age: timedelta) -> None:
    order, now = make_order(), timezone.now()
    change(order, created_at=now - age)
    assert list(place_orders.not_expired(Order.objects.all(), now)) == [order]
    place_orders.end_expired(now)
    order.refresh_from_db()
    assert order.state == "queued"


@pytest.mark.parametrize("age", [HALF_AN_HOUR, timedelta(days=3)])
def test_order_that_waited_too_long_is_never_placed(age: timedelta) -> None:
    order, now = make_order(), timezone.now()
    change(order, created_at=now - age)
    assert not place_orders.not_expired(Order.objects.all(), now)
    place_orders.end_expired(now)
    assert_ended(order, "not_created", "order_waited_too_long", now)


def test_order_with_keep_trying_may_be_placed_until_its_time_has_passed() -> None:
    order, now = make_order(), timezone.now()
    change(order, created_at=now - timedelta(days=1), keep_trying_until=now + MOMENT)
    assert list(place_orders.not_expired(Order.objects.all(), now)) == [order]
    place_orders.end_expired(now)
    order.refresh_from_db()
    assert order.state == "queued"

    later = now + MOMENT
    assert not place_orders.not_expired(Order.objects.all(), later)
    place_orders.end_expired(later)
    assert_ended(order, "not_created", "order_waited_too_long", later)


def test_order_without_a_free_number_in_time_ends_refused() -> None:
    order, now = make_order(), timezone.now()
    change(order, created_at=now - HALF_AN_HOUR, reason="no_number_available")
    place_orders.end_expired(now)
    assert_ended(order, "refused", "no_number_in_time", now)


@pytest.mark.parametrize("state", ["claimed", "placing", "unknown", "pending"])
def test_age_ends_only_orders_that_are_queued(state: str) -> None:
    order, now = make_order(state=state), timezone.now()
    change(order, created_at=now - timedelta(days=1))
    place_orders.end_expired(now)
    order.refresh_from_db()
    assert (order.state, order.reason, order.ended_at) == (state, "", None)


def test_order_of_a_person_who_may_no_longer_rent_is_not_created() -> None:
    order, other = make_order(), make_order()
    now = timezone.now()
    place_orders.refuse_without_permission(order)
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.state, order.reason) == ("not_created", "order_not_allowed")
    assert order.ended_at is not None
    assert order.ended_at == order.changed_at >= now
    assert other.state == "queued"


@pytest.mark.parametrize("state", ["claimed", "placing", "unknown", "pending"])
def test_order_whose_call_may_have_begun_is_not_ended_for_missing_permission(state: str) -> None:
    order = make_order(state=state)
    place_orders.refuse_without_permission(order)
    order.refresh_from_db()
    assert (order.state, order.reason, order.ended_at) == (state, "", None)


def test_queued_order_can_be_withdrawn(by: User) -> None:
    order, other = make_order(), make_order()
    now = timezone.now()
    assert place_orders.withdraw(order, by)
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.state, order.ended_by) == ("cancelled", by)
    assert order.ended_at is not None
    assert order.ended_at == order.changed_at >= now
    assert other.state == "queued"


@pytest.mark.parametrize("state", ["claimed", "placing", "unknown", "pending"])
def test_order_that_is_being_placed_cannot_be_withdrawn(by: User, state: str) -> None:
    order = make_order(state=state)
    assert not place_orders.withdraw(order, by)
    order.refresh_from_db()
    assert (order.state, order.ended_by) == (state, None)


def test_orders_are_found_by_the_providers_ids_within_one_account(account: Account) -> None:
    make_rented(provider_id="2")
    first, second = (make_rented(account, provider_id=name) for name in ("1", "2"))
    make_rented(account, provider_id="3")
    make_rented(provider_id="1")
    assert place_orders.by_provider_id(account, ["1", "2", "9"]) == {"1": first, "2": second}
    assert place_orders.by_provider_id(account.pk, ["2"]) == {"2": second}


def assert_ended(order: Order, state: str, reason: str, at: datetime) -> None:
    order.refresh_from_db()
    assert (order.state, order.reason) == (state, reason)
    assert order.ended_at == order.changed_at == at
