"""Orders beyond a limit wait for a second person, and are placed only after they agreed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from core.models import Notice
from core.stored_texts import show
from providers import clock
from providers.approvals import requests
from providers.approvals.requests import DecisionOutcome
from providers.approvals.rules import ApprovalNeeded
from providers.hold import begin, holdable
from providers.models import Account, Approval, Hold
from rentals import cancel_requests, place_orders
from rentals.engine.place_source import PlaceSource
from rentals.models import Order
from rentals.orders_on_hold import OrdersOnHold
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited
from tests.factories.orders import make_order, make_rented

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]
FAR = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def approvers() -> list[User]:
    return make_approvers()


@pytest.fixture
def asker() -> User:
    return make_limited(orders=1)


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


def rent(account: Account, by: User, count: int = 3, **values: object) -> list[Order]:
    request = place_orders.RentRequest(account, "whatsapp", "ID", count)
    options = {"why": "A customer needs them.", "form_token": "form", **values}
    return place_orders.place(request, by=by, **options)[0]  # type: ignore[arg-type]


def request_of(orders: list[Order]) -> Approval:
    found = {order.approval for order in orders}
    assert len(found) == 1
    (approval,) = found
    assert approval is not None
    return approval


def states() -> list[str]:
    return list(Order.objects.order_by("pk").values_list("state", flat=True))


def claimed(account: Account) -> int:
    source = PlaceSource()
    assert (
        bool(source.accounts_with_work([account.pk]))
        == Order.objects.filter(place_orders.is_agreed(), state="queued").exists()
    )
    return len(source.claim(account, 10, uuid4()))


def test_orders_of_one_form_are_asked_for_together_and_placed_once_approved(
    approvers: list[User], asker: User, account: Account
) -> None:
    approval = request_of(rent(account, asker))
    assert (approval.count, states()) == (3, ["awaiting_approval"] * 3)
    assert claimed(account) == 0
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DONE
    assert states() == ["queued"] * 3
    assert claimed(account) == 1


def test_without_a_reason_for_asking_nothing_is_written(
    approvers: list[User], asker: User, account: Account
) -> None:
    with pytest.raises(ApprovalNeeded):
        rent(account, asker, why=None)
    assert not Order.objects.exists()
    assert rent(account, asker, count=1, why=None)[0].state == "queued"


def test_form_sent_twice_asks_once(approvers: list[User], asker: User, account: Account) -> None:
    first = rent(account, asker)
    assert [order.pk for order in rent(account, asker)] == [order.pk for order in first]
    assert Approval.objects.count() == 1


def test_engine_claims_no_order_whose_request_was_not_granted(
    approvers: list[User], asker: User, account: Account
) -> None:
    rent(account, asker, count=2)
    # As if something had queued them.
    Order.objects.update(state="queued")
    assert claimed(account) == 0
    Approval.objects.update(state="lapsed")
    assert claimed(account) == 0


def test_rejected_and_withdrawn_orders_end_without_a_call(
    approvers: list[User], asker: User, account: Account
) -> None:
    requests.reject(request_of(rent(account, asker)), approvers[0], "One is enough.")
    assert states() == ["rejected"] * 3
    assert "One is enough." in show(Notice.objects.get(user=asker).text)
    requests.withdraw(request_of(rent(account, asker, form_token="other")), asker)
    assert states() == ["rejected"] * 3 + ["cancelled"] * 3


def test_price_that_changed_needs_a_new_request(
    approvers: list[User], asker: User, account: Account
) -> None:
    make_rented(account, price=Decimal("0.50"))
    approval = request_of(rent(account, asker))
    assert approval.cost == Decimal("1.50")
    make_rented(account, price=Decimal("0.60"))
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.CHANGED
    assert states()[1:4] == ["not_created"] * 3


def test_fewer_orders_than_were_shown_need_a_new_request(
    approvers: list[User], asker: User, account: Account
) -> None:
    orders = rent(account, asker)
    # Not the first, by which the request is named.
    Order.objects.filter(pk=orders[-1].pk).update(state="cancelled")
    assert requests.grant(request_of(orders), approvers[0]) == DecisionOutcome.CHANGED


@pytest.mark.parametrize(
    "changes",
    [
        {"project": "telegram"},
        {"region": "PH"},
        {"keep_trying_until": FAR},
        {"cancel_after": 9},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_orders_than_were_shown_need_a_new_request(
    approvers: list[User], asker: User, account: Account, changes: dict[str, object]
) -> None:
    approval = request_of(rent(account, asker))
    Order.objects.update(**changes)
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.CHANGED
    assert states() == ["not_created"] * 3


def test_approved_orders_of_somebody_who_may_no_longer_rent_are_not_placed(
    approvers: list[User], asker: User, account: Account
) -> None:
    approval = request_of(rent(account, asker))
    asker.user_permissions.clear()
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.NOT_STARTED
    assert states() == ["not_created"] * 3
    assert claimed(account) == 0


def test_request_ends_after_half_an_hour(
    approvers: list[User], asker: User, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = request_of(rent(account, asker))
    later = clock.now() + timedelta(minutes=30)
    monkeypatch.setattr("providers.clock.now", lambda: later)
    PlaceSource().tidy(later)
    approval.refresh_from_db()
    assert (approval.state, states()) == ("lapsed", ["not_created"] * 3)
    assert set(Order.objects.values_list("reason", flat=True)) == {"order_approval_timed_out"}


def test_nobody_approves_their_own_orders(
    approvers: list[User], asker: User, account: Account
) -> None:
    approval = request_of(rent(account, asker))
    asker.user_permissions.add(approvers[0].user_permissions.get(codename="approve"))
    asker = User.objects.get(pk=asker.pk)
    assert requests.grant(approval, asker) == DecisionOutcome.NOT_YOURS
    assert states() == ["awaiting_approval"] * 3


def test_orders_from_before_a_hold_are_not_released_unapproved(
    approvers: list[User], asker: User, account: Account
) -> None:
    approval = request_of(rent(account, asker, count=2))
    make_order(account)
    hold = begin.begin(Hold.Cause.BY_HAND, {}, by=None)
    assert hold is not None
    approval.refresh_from_db()
    assert (approval.state, states()) == ("lapsed", ["held"] * 3)
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DECIDED_BEFORE
    held = next(one for one in holdable.holdables() if isinstance(one, OrdersOnHold))
    (group,) = held.groups(hold)
    assert "approved by no one, not ordered: 2" in " ".join(map(str, group.facts))
    assert held.release(hold, group.key, None, None) == 1
    assert states() == ["held", "held", "queued"]


def test_replacement_beyond_a_limit_is_asked_for_by_the_portal(
    approvers: list[User], asker: User, account: Account
) -> None:
    order = make_rented(account, by=asker)
    assert cancel_requests.request_cancel(order, asker, then_rent=True)
    Order.objects.filter(pk=order.pk).update(state="cancelled")
    cancel_requests.decide_cancels(Order.objects.get(pk=order.pk), clock.now(), ended=True)
    replacement = Order.objects.get(instead_of=order)
    assert (replacement.state, replacement.created_by) == ("awaiting_approval", asker)
