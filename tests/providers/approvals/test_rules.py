"""Who needs a second person, and how much of a limit is used."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F

from messaging.batches import lifecycle, proposals
from messaging.models import Batch, Message
from providers.approvals.kinds import Size
from providers.approvals.rules import ApprovalNeeded, are_on, passed_limits
from providers.models import Account, ApprovalLimit
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.orders import make_order
from tests.factories.staff import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]


def passed(person: User, count: int, cost: str | None = None, kind: str = "batch") -> list[str]:
    size = Size(count, None if cost is None else Decimal(cost))
    return [one.limit for one in passed_limits(person, kind, size)]


def test_limit_is_passed_by_more_than_it_says_and_not_by_as_much() -> None:
    make_approvers()
    person = make_limited(messages=10)
    assert passed(person, 10) == []
    assert passed(person, 11) == ["messages"]


def test_limits_are_off_until_two_people_can_approve() -> None:
    person = make_limited(messages=1)
    (first,) = make_approvers(1)
    assert not are_on()
    assert passed(person, 99) == []
    make_user("providers.approve", is_active=False)
    make_user("providers.approve", is_staff=False)
    assert not are_on()
    make_user("providers.approve")
    assert are_on()
    assert passed(person, 99) == ["messages"]
    User.objects.filter(pk=first.pk).update(is_active=False)
    assert passed(person, 99) == []


def test_highest_limit_of_several_roles_applies_and_an_empty_one_lifts_it() -> None:
    make_approvers()
    person = make_limited(messages=1)
    other = Group.objects.create(name="other")
    person.groups.add(other)
    assert passed(person, 5) == ["messages"]
    limit = ApprovalLimit.objects.create(group=other, messages=5)
    assert passed(person, 5) == []
    assert passed(person, 6) == ["messages"]
    ApprovalLimit.objects.filter(pk=limit.pk).update(messages=None, cost=1)
    assert passed(person, 999) == []


def test_person_without_a_limited_role_is_not_limited() -> None:
    make_approvers()
    make_limited(messages=1)
    assert passed(make_user("messaging.bulk_message"), 999) == []


def test_four_small_batches_do_not_pass_where_a_large_one_would_not() -> None:
    make_approvers()
    person = make_limited(messages=10)
    account = make_account()
    for index in range(3):
        start_batch(make_batch(numbers(3, 10 * index), account, by=person))
    assert Message.objects.count() == 9
    fourth = make_batch(numbers(3, 90), account, by=person)
    with pytest.raises(ApprovalNeeded) as needed:
        lifecycle.start(fourth, person)
    assert (needed.value.passed[0].most, needed.value.passed[0].used) == ("10", "9")
    fourth.refresh_from_db()
    assert fourth.state == "ready"
    # They count for a day.
    begun = Batch.objects.filter(started_at__isnull=False)
    begun.update(started_at=F("started_at") - timedelta(hours=23))
    with pytest.raises(ApprovalNeeded):
        lifecycle.start(fourth, person)
    begun.update(started_at=F("started_at") - timedelta(hours=1, seconds=1))
    assert lifecycle.start(fourth, person)


def test_batches_that_are_scheduled_count_before_they_start() -> None:
    make_approvers()
    person = make_limited(messages=4)
    first, second = (make_batch(numbers(3, 10 * index), by=person) for index in range(2))
    later = first.created_at + timedelta(hours=3)
    assert lifecycle.schedule(first, person, later)
    with pytest.raises(ApprovalNeeded):
        lifecycle.schedule(second, person, later)
    # The first does not count twice when it starts.
    first.refresh_from_db()
    Batch.objects.filter(pk=first.pk).update(scheduled_for=first.created_at)
    assert lifecycle.start_due() == 1


def test_messages_of_a_cancelled_batch_that_did_not_go_out_do_not_count() -> None:
    make_approvers()
    person = make_limited(messages=5)
    batch = start_batch(make_batch(numbers(3), by=person))
    assert passed(person, 3) == ["messages"]
    Message.objects.filter(pk=Message.objects.order_by("pk")[0].pk).update(state="submitted")
    lifecycle.cancel(batch, person)
    Message.objects.filter(state="queued").update(state="cancelled")
    assert passed(person, 4) == []
    assert passed(person, 5) == ["messages"]


def test_cost_of_batches_and_orders_counts_together() -> None:
    make_approvers()
    person = make_limited(cost="1.00")
    account = make_account(price_per_segment="0.10")
    start_batch(make_batch(numbers(4), account, by=person))
    order = make_order(created_by=person, price=Decimal("0.50"), state="pending", provider_id="7")
    assert passed(person, 1, "0.10") == []
    assert passed(person, 1, "0.11") == ["cost"]
    assert passed(person, 1, "0.11", kind="order") == ["cost"]
    # What the provider pays back costs nothing.
    Order.objects.filter(pk=order.pk).update(state="cancelled")
    assert passed(person, 1, "0.60") == []


def test_unknown_price_passes_a_limit_of_cost_but_no_other() -> None:
    make_approvers()
    assert passed(make_limited(messages=5), 5) == []
    person = make_limited(cost="1000")
    assert passed(person, 1) == ["cost"]
    (one,) = passed_limits(person, "batch", Size(1, None))
    assert one.is_unknown


def test_orders_without_a_price_yet_count_at_the_last_price() -> None:
    make_approvers()
    person, account = make_limited(cost="1.20"), make_account("gosms")
    make_order(account, price=Decimal("0.50"), state="completed", provider_id="1")
    make_order(account, by=person)
    assert passed(person, 1, "0.70", kind="order") == []
    assert passed(person, 1, "0.71", kind="order") == ["cost"]


def test_orders_that_were_never_placed_do_not_count() -> None:
    make_approvers()
    person, account = make_limited(orders=1), make_account("gosms")
    for state in ("not_created", "refused", "cancelled"):
        make_order(account, by=person, state=state)
    assert passed(person, 1, kind="order") == []
    make_order(account, by=person)
    assert passed(person, 1, kind="order") == ["orders"]


def test_messages_do_not_count_against_orders() -> None:
    make_approvers()
    person = make_limited(messages=3, orders=1)
    start_batch(make_batch(numbers(3), by=person))
    assert passed(person, 1, kind="order") == []


def test_price_of_an_account_is_part_of_the_size() -> None:
    account = make_account(price_per_segment="0.0400")
    batch = make_batch(numbers(3), account)
    assert proposals.proposal_of(batch, None).size == Size(3, Decimal("0.12"))
    Account.objects.filter(pk=account.pk).update(price_per_segment=None)
    batch = Batch.objects.get(pk=batch.pk)
    assert proposals.proposal_of(batch, None).size == Size(3, None)
