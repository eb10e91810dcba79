"""Orders and cancels on hold: adopted from the provider's list, released, or left unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.money_lines import MoneyLine
from core.stored_texts import from_staff
from providers.gateway.vocabulary import OrderState as Stated
from providers.gateway.vocabulary import Rental
from providers.models import Account, Hold
from rentals import (
    apply_order_state,
    cancel_requests,
    order_import,
    place_orders,
    reconciliation,
)
from rentals.models import Cancel, FoundOrder, Order, Reading
from rentals.presentation.explanations import explanation_of
from rentals.presentation.timeline import timeline
from rentals.proposals import MAX_AGE
from rentals.states import CancelState, OrderState
from tests.factories.accounts import make_account
from tests.factories.orders import change, make_order, make_rented
from tests.factories.staff import make_user
from tests.support.holds import begin_hold, claim_all, holdable
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

EXCLUSIVE = {"exclusive_key": True}


@pytest.fixture
def account() -> Account:
    return make_account("gosms", options=EXCLUSIVE)


def held_order(account: Account | None = None, **fields: Any) -> Order:
    order = make_order(account, **fields)
    begin_hold()
    order.refresh_from_db()
    return order


def release(order: Order, rows: list[int] | None = None) -> int:
    key = f"orders:{order.account_id}"
    count = holdable("orders").release(Hold.objects.get(), key, rows, None)
    order.refresh_from_db()
    return count


def discard(order: Order) -> int:
    key = f"orders:{order.account_id}"
    count = holdable("orders").discard(Hold.objects.get(), key, None, make_user(), "Made already")
    order.refresh_from_db()
    return count


def find(account: Account, provider_id: str, **fields: Any) -> FoundOrder:
    """An order as the provider's list shows it."""
    values: dict[str, Any] = {
        "state": Stated.PENDING,
        "raw_state": "pending",
        "project": "whatsapp",
        "region": "ID",
        "phone": f"+62812000{provider_id}",
        "price": None,
        "created_at": timezone.now(),
        **fields,
    }
    rental = Rental(order_id=provider_id, **values)
    order_import.import_page(account, [rental], timezone.now())
    return FoundOrder.objects.get(account=account, provider_id=provider_id)


# --- the hold begins -----------------------------------------------------------------------


@pytest.mark.parametrize("state", OrderState)
def test_hold_takes_orders_that_wait_and_no_others(state: OrderState) -> None:
    claim: dict[str, Any] = (
        {"claim": uuid4(), "claimed_at": timezone.now()} if state == "claimed" else {}
    )
    order = held_order(state=state, **claim)
    # One that waits for approval is held with its request (tests/rentals/test_approvals.py). This
    # one has none, so no release may make it due.
    if state in ("queued", "claimed", "held"):
        assert (order.state, order.claim, order.hold) == ("held", None, Hold.objects.get())
    else:
        assert order.state == state
    assert claim_all() == []


def test_hold_asks_for_the_lists_of_the_provider(account: Account) -> None:
    held_order(account)
    kinds = set(Reading.objects.filter(account=account, whole=True).values_list("kind", flat=True))
    assert kinds == {"orders", "transactions"}


def test_age_leaves_it_alone(account: Account) -> None:
    order = held_order(account, keep_trying=5, reason="no_number_available")
    place_orders.end_expired(timezone.now() + timedelta(days=2))
    order.refresh_from_db()
    assert order.state == "held"


def test_new_order_of_the_same_app_and_country_is_placed(account: Account) -> None:
    held_order(account)
    new = make_order(account)
    assert [job.row_id for job in claim_all()] == [new.pk]


# --- what the list shows --------------------------------------------------------------------


def test_orders_in_the_list_are_adopted_and_not_placed_again(account: Account) -> None:
    first, second = make_order(account), make_order(account)
    other = make_order(account, project="telegram")
    hold = begin_hold()
    now = timezone.now()
    find(account, "1002", created_at=now)
    find(account, "1001", created_at=now - timedelta(seconds=30))
    find(account, "1003", project="telegram")
    assert holdable("orders").settle_known(hold) == 3
    for order, provider_id in ((first, "1001"), (second, "1002"), (other, "1003")):
        order.refresh_from_db()
        assert (order.state, order.provider_id) == ("pending", provider_id)
    (group,) = holdable("orders").groups(hold)
    assert (group.undecided, group.settled) == (0, 3)
    assert "Found in the order list of the provider: 3." in group.facts
    assert "Adopted with their numbers: 1001, 1002, 1003. Nothing is ordered again." in group.facts
    assert claim_all() == []


def test_list_that_shows_fewer_or_more_leaves_the_decision_to_a_person(account: Account) -> None:
    orders = [make_order(account), make_order(account)]
    hold = begin_hold()
    find(account, "1001")
    assert holdable("orders").settle_known(hold) == 0
    find(account, "1002")
    find(account, "1003")
    assert holdable("orders").settle_known(hold) == 0
    assert Order.objects.filter(account=account).count() == len(orders), "none is imported"
    (group,) = holdable("orders").groups(hold)
    assert group.facts[0] == (
        "Orders in the provider's list that may match: 3. Decide about those first."
    )


def test_key_that_others_use_adopts_nothing_automatically() -> None:
    account = make_account("gosms")
    order = held_order(account)
    found = find(account, "1001")
    assert holdable("orders").settle_known(Hold.objects.get()) == 0
    assert reconciliation.adopt(order, found, by=make_user(), because=from_staff("Seen there"))
    order.refresh_from_db()
    assert (order.state, order.provider_id) == ("pending", "1001")
    assert holdable("orders").count_undecided(Hold.objects.get()) == 0


def test_order_placed_long_after_the_backup_is_adopted(account: Account) -> None:
    order = make_order(account)
    hour_ago = timezone.now() - timedelta(minutes=60)
    Order.objects.filter(pk=order.pk).update(created_at=hour_ago)
    hold = begin_hold()
    find(account, "1001", created_at=timezone.now() - timedelta(minutes=20))
    assert holdable("orders").settle_known(hold) == 1


def test_unknown_order_is_not_adopted_while_one_on_hold_may_be_it(account: Account) -> None:
    held_order(account)
    now = timezone.now()
    unknown = make_order(account, state="unknown", handed_over_at=now, answered_at=now)
    find(account, "1001")
    reconciliation.settle(account, now)
    unknown.refresh_from_db()
    assert unknown.state == "unknown"


def test_complete_list_without_them_is_mentioned(account: Account) -> None:
    held_order(account)
    hold = Hold.objects.get()
    Reading.objects.all().delete()
    Hold.objects.update(started_at=hold.started_at - timedelta(minutes=10))
    hold.refresh_from_db()
    later = hold.started_at + reconciliation.APPEARANCE_DELAY + timedelta(seconds=1)
    Reading.objects.create(
        account=account,
        kind="orders",
        state="done",
        whole=True,
        complete=True,
        started_at=later,
        ended_at=later,
    )
    (group,) = holdable("orders").groups(hold)
    assert "shows none of them" in str(group.facts[0])


# --- decisions -----------------------------------------------------------------------------


def test_released_order_is_placed_once(account: Account) -> None:
    order = held_order(account)
    assert release(order) == 1
    assert (order.state, order.hold) == ("queued", None)
    assert [job.row_id for job in claim_all()] == [order.pk]
    assert release(order) == 0


def end_by_withdrawal(order: Order) -> None:
    assert place_orders.withdraw(order, make_user())


def end_by_age(order: Order) -> None:
    place_orders.end_expired(timezone.now() + MAX_AGE)


def end_by_lost_permission(order: Order) -> None:
    place_orders.refuse_without_permission(order)


@pytest.mark.parametrize("end", [end_by_withdrawal, end_by_age, end_by_lost_permission])
def test_released_order_that_is_not_placed_ends_unknown_and_is_looked_for(
    account: Account, end: Callable[[Order], None]
) -> None:
    order = held_order(account)
    assert release(order) == 1
    end(order)
    order.refresh_from_db()
    assert (order.state, order.reason, order.ended_at) == ("unknown", "from_before", None)
    assert order.answered_at == Hold.objects.get().started_at
    assert explanation_of(order).money == MoneyLine.UNKNOWN
    find(account, "1001")
    reconciliation.settle(account, timezone.now())
    order.refresh_from_db()
    assert order.provider_id == "1001"


def test_order_made_after_the_hold_is_withdrawn(account: Account) -> None:
    held_order(account)
    order = make_order(account, project="telegram")
    end_by_withdrawal(order)
    order.refresh_from_db()
    assert order.state == "cancelled"


def test_released_order_that_is_refused_may_have_been_placed_before(account: Account) -> None:
    order = held_order(account)
    assert release(order) == 1
    change(order, state="refused", reason="no_number_available", ended_at=timezone.now())
    explained = explanation_of(order)
    assert explained.money == MoneyLine.UNKNOWN
    assert "may have been ordered before the hold" in explained.text


def test_released_order_that_the_lists_do_not_show_cost_nothing(account: Account) -> None:
    order = held_order(account)
    assert release(order) == 1
    change(order, state="not_created", reason="not_found_there", ended_at=timezone.now())
    explained = explanation_of(order)
    assert explained.money == MoneyLine.NOT_SPENT
    assert "before the hold" not in explained.text


def test_choice_releases_no_other_order(account: Account) -> None:
    order = make_order(account)
    other = held_order(account, project="telegram")
    assert release(other, [other.pk]) == 1
    order.refresh_from_db()
    assert order.state == "held"


def test_order_that_waited_too_long_is_no_longer_placed(account: Account) -> None:
    order = held_order(account)
    Order.objects.update(created_at=timezone.now() - MAX_AGE)
    assert release(order) == 0
    assert order.state == "held"
    (group,) = holdable("orders").groups(Hold.objects.get())
    assert not group.may_send
    assert any("no longer ordered" in str(fact) for fact in group.facts)


def test_discarded_order_ends_unknown_and_is_still_looked_for(account: Account) -> None:
    order = held_order(account)
    assert discard(order) == 1
    assert (order.state, order.reason) == ("unknown", "from_before")
    assert order.answered_at == Hold.objects.get().started_at
    find(account, "1001")
    reconciliation.settle(account, timezone.now())
    order.refresh_from_db()
    assert (order.state, order.provider_id) == ("pending", "1001")


@pytest.mark.django_db(transaction=True)
def test_two_managers_decide_each_order_once(account: Account) -> None:
    for index in range(10):
        make_order(account, project=f"app{index}")
    hold = begin_hold()
    key = f"orders:{account.pk}"
    turns = iter((True, False, True, False))

    def decide() -> int:
        if next(turns):
            return holdable("orders").release(hold, key, None, None)
        return holdable("orders").discard(hold, key, None, None, "Made")

    assert sum(at_once(decide, 4)) == 10
    assert set(Order.objects.values_list("state", flat=True)) <= {"queued", "unknown"}


@pytest.mark.parametrize("key", ["orders:", "orders:x", "orders:999999", "messages:1"])
def test_unknown_group_changes_nothing(key: str) -> None:
    held_order()
    hold = Hold.objects.get()
    assert holdable("orders").release(hold, key, None, None) == 0
    assert holdable("orders").discard(hold, key, None, None, "") == 0


# --- pages --------------------------------------------------------------------------------


def test_pages_show_that_it_is_on_hold(client: Client, account: Account) -> None:
    order = held_order(account)
    client.force_login(make_user("rentals.view_order", "rentals.cancel_order"))
    page = client.get(reverse("admin:rentals_order_change", args=[order.public_id]))
    board = client.get(reverse("admin:rentals_order_board"))
    listed = client.get(reverse("admin:rentals_order_changelist"), {"shown": "held"})
    for answer in (page, board, listed):
        assert "On hold" in answer.content.decode()
    assert "It is not known whether this was ordered." in page.content.decode()
    assert "Cancel order…" not in page.content.decode()
    texts = [line.text for line in timeline(order, with_calls=False, with_money=False)]
    assert "Put on hold" in texts


def test_direct_post_cancels_nothing_and_explains_why(client: Client, account: Account) -> None:
    order = held_order(account)
    client.force_login(make_user("rentals.view_order", "rentals.cancel_order"))
    url = reverse("admin:rentals_order_cancel", args=[order.public_id])
    page = client.post(url, follow=True).content.decode()
    assert "this is on hold. A manager decides." in page
    order.refresh_from_db()
    assert order.state == "held"


# --- cancels ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", CancelState)
def test_cancels_that_wait_are_left_to_the_answer_of_the_order(state: CancelState) -> None:
    order = make_rented()
    claim: dict[str, Any] = (
        {"claim": uuid4(), "claimed_at": timezone.now()} if state == "claimed" else {}
    )
    cancel = Cancel.objects.create(order=order, state=state, **claim)
    hold = begin_hold()
    cancel.refresh_from_db()
    order.refresh_from_db()
    if state in ("queued", "claimed"):
        assert (cancel.state, cancel.reason, cancel.claim) == ("unclear", "from_before", None)
        (group,) = holdable("cancels").groups(hold)
        assert (group.undecided, group.may_send) == (0, False)
    else:
        assert cancel.state == state
    assert order.next_poll_at is not None
    assert order.next_poll_at <= timezone.now() + timedelta(seconds=1)
    assert claim_all() == []


def answer(order: Order, state: Stated) -> None:
    rental = Rental(
        order_id=order.provider_id,
        state=state,
        raw_state=str(state),
        project="",
        region="",
        phone=order.phone,
        price=order.price,
    )
    apply_order_state.apply(order.pk, rental, timezone.now(), from_lookup=True)


def test_answer_of_the_order_decides_a_cancel_from_before() -> None:
    order = make_rented()
    cancel = Cancel.objects.create(order=order)
    begin_hold()
    answer(order, Stated.PENDING)
    cancel.refresh_from_db()
    assert cancel.state == "not_done"
    assert cancel_requests.request_cancel(order, make_user())


def test_automatic_cancel_waits_until_its_order_was_queried() -> None:
    order = make_rented(cancel_at=timezone.now() - timedelta(seconds=1))
    begin_hold()
    assert cancel_requests.request_due_cancels(timezone.now()) == 0
    answer(order, Stated.PENDING)
    assert cancel_requests.request_due_cancels(timezone.now()) == 1


def test_replacement_that_was_requested_before_is_on_hold() -> None:
    order = make_rented()
    by = make_user("rentals.rent_order")
    Cancel.objects.create(order=order, then_rent=True, asked_by=by)
    hold = begin_hold()
    answer(order, Stated.CANCELLED)
    (other,) = order.replaced_by.all()
    assert (other.state, other.hold) == ("held", hold)
    assert claim_all() == []
    assert release(other) == 1
    assert [job.row_id for job in claim_all()] == [other.pk]


def test_replacement_is_not_rented_once_the_hold_has_ended() -> None:
    order = make_rented()
    by = make_user("rentals.rent_order")
    Cancel.objects.create(order=order, then_rent=True, asked_by=by)
    hold = begin_hold()
    Hold.objects.filter(pk=hold.pk).update(ended_at=timezone.now())
    answer(order, Stated.CANCELLED)
    assert not order.replaced_by.exists()
    order.refresh_from_db()
    assert "it was asked for before a hold" in explanation_of(order).next_step


def test_replacement_that_is_requested_later_is_rented() -> None:
    order = make_rented()
    begin_hold()
    by = make_user("rentals.rent_order")
    assert cancel_requests.request_cancel(order, by, then_rent=True)
    answer(order, Stated.CANCELLED)
    (other,) = order.replaced_by.all()
    assert other.state == "queued"


def test_order_that_was_in_flight_and_not_placed_is_on_hold_again(account: Account) -> None:
    order = held_order(account, state="placing", keep_trying=60)
    assert order.hold is not None
    change(order, state="queued", reason="no_number_available")
    place_orders.end_expired(timezone.now())
    order.refresh_from_db()
    assert order.state == "held"
    change(order, state="queued")
    Hold.objects.update(ended_at=timezone.now())
    place_orders.end_expired(timezone.now())
    order.refresh_from_db()
    assert order.state == "not_created"
