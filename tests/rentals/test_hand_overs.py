"""Hand-overs are rows; what an older version logged of them is read once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from rentals import hand_overs, tasks
from rentals.models import HandOver, Order
from rentals.presentation.timeline import timeline
from tests.factories.orders import change, make_rented
from tests.factories.staff import make_staff
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

BEFORE: Final = [("rentals", "0002_claims_by_time")]
AFTER: Final = [("rentals", "0003_hand_overs")]


def log(order_pk: object, by: User, message: str, *, days_ago: int = 0) -> LogEntry:
    """As the older version wrote it."""
    return LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Order),
        object_id=str(order_pk),
        object_repr="Order",
        action_flag=CHANGE,
        change_message=message,
        action_time=timezone.now() - timedelta(days=days_ago),
    )


def lines_of(order: Order) -> list[str]:
    told = timeline(order, with_calls=False, with_money=False)
    return [line.text for line in told if line.text.startswith("Handed over by")]


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def operator() -> User:
    return make_staff("operator")


# --- this version --------------------------------------------------------------------


def test_a_hand_over_is_a_row_with_both_persons_and_its_log_line(
    manager: User, operator: User
) -> None:
    order = make_rented(by=operator)
    assert hand_overs.hand_over(order, manager, by=operator)

    one = HandOver.objects.get()
    assert (one.order, one.from_person, one.to_person, one.by) == (
        order,
        operator,
        manager,
        operator,
    )
    assert one.log_entry == LogEntry.objects.get()
    assert one.log_entry.change_message == f"Handed to {manager.username}"
    order.refresh_from_db()
    assert order.held_by == manager


def test_an_order_that_nobody_held_comes_from_nobody(manager: User, operator: User) -> None:
    order = change(make_rented(), held_by=None)
    assert hand_overs.hand_over(order, operator, by=manager)
    assert HandOver.objects.get().from_person is None


def test_a_hand_over_of_what_somebody_else_holds_by_now_leaves_nothing(
    manager: User, operator: User
) -> None:
    order = make_rented(by=operator)
    Order.objects.filter(pk=order.pk).update(held_by=manager)
    assert not hand_overs.hand_over(order, operator, by=operator)
    assert not HandOver.objects.exists()
    assert not LogEntry.objects.exists()


def test_the_timeline_follows_the_rows_and_not_the_log(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    hand_overs.hand_over(order, manager, by=operator)
    LogEntry.objects.update(change_message="Something else")
    log(order.pk, operator, "Handed to nobody who has a row")
    assert lines_of(order) == [f"Handed over by {operator.username} to {manager.username}"]


def test_a_hand_over_outlives_its_log_line(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    hand_overs.hand_over(order, manager, by=operator)
    LogEntry.objects.all().delete()
    assert len(lines_of(order)) == 1


# --- what an older version logs beside this one ----------------------------------------


def test_a_line_of_an_older_version_becomes_a_row_within_ten_minutes(
    manager: User, operator: User
) -> None:
    order = make_rented(by=operator)
    line = log(order.pk, operator, f"Handed to {manager.username}", days_ago=30)
    tasks.read_lists()
    one = HandOver.objects.get()
    assert (one.to_person, one.by, one.at, one.log_entry) == (
        manager,
        operator,
        line.action_time,
        line,
    )
    assert lines_of(order) == [f"Handed over by {operator.username} to {manager.username}"]


def test_a_line_is_read_once(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, f"Handed to {manager.username}")
    assert [hand_overs.import_older_log_lines() for _ in range(2)] == [1, 0]
    assert HandOver.objects.count() == 1


def test_a_line_of_this_version_is_never_read(manager: User, operator: User) -> None:
    hand_overs.hand_over(make_rented(by=operator), manager, by=operator)
    assert hand_overs.import_older_log_lines() == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_read_the_same_line_at_once_make_one_row(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, f"Handed to {manager.username}")
    at_once(hand_overs.import_older_log_lines, 2)
    assert HandOver.objects.count() == 1


def test_a_name_of_nobody_is_kept_as_it_was_written(operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, "Handed to Somebody Gone")
    hand_overs.import_older_log_lines()
    assert HandOver.objects.get().to_person is None
    assert lines_of(order) == [f"Handed over by {operator.username} to Somebody Gone"]


def test_a_name_of_two_is_kept_as_it_was_written(operator: User) -> None:
    for _ in range(2):
        namesake = make_staff("operator")
        User.objects.filter(pk=namesake.pk).update(first_name="Li", last_name="Wei")
    log(make_rented(by=operator).pk, operator, "Handed to Li Wei")
    hand_overs.import_older_log_lines()
    assert (HandOver.objects.get().to_person, HandOver.objects.get().to_name) == (None, "Li Wei")


@pytest.mark.parametrize("object_id", ["0", "999999", "x", "", "9" * 30])
def test_a_line_about_no_order_is_left_alone(operator: User, object_id: str) -> None:
    log(object_id, operator, "Handed to Li Wei")
    assert hand_overs.import_older_log_lines() == 0


@pytest.mark.parametrize("message", ["Revealed: Handed to Li Wei", "handed to Li Wei", "Cancel"])
def test_other_lines_are_left_alone(operator: User, message: str) -> None:
    log(make_rented(by=operator).pk, operator, message)
    assert hand_overs.import_older_log_lines() == 0


# --- the migration ---------------------------------------------------------------------


@pytest.fixture
def before_the_migration() -> Iterator[None]:
    MigrationExecutor(connection).migrate(BEFORE)
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("rentals"))


@pytest.mark.django_db(transaction=True)
def test_the_migration_reads_the_lines_that_stand(
    manager: User, operator: User, before_the_migration: None
) -> None:
    User.objects.filter(pk=manager.pk).update(first_name="Li", last_name="Wei")
    namesakes = [make_staff("operator").pk for _ in range(2)]
    User.objects.filter(pk__in=namesakes).update(first_name="Ana", last_name="Maria")
    order = make_rented(by=operator)
    line = log(order.pk, operator, "Handed to Li Wei", days_ago=400)
    log(order.pk, manager, "Handed to Somebody Gone")
    log(order.pk, manager, "Handed to Ana Maria")
    log(order.pk, manager, "Revealed: The customer asks")
    for other in ("999999", "x", "9" * 30):
        log(other, manager, "Handed to Li Wei")

    MigrationExecutor(connection).migrate(AFTER)

    first, second, third = HandOver.objects.all()
    assert (first.order, first.to_person, first.by) == (order, manager, operator)
    assert (first.at, first.log_entry) == (line.action_time, line)
    assert (second.to_person, second.to_name, second.by) == (None, "Somebody Gone", manager)
    assert (third.to_person, third.to_name) == (None, "Ana Maria")
    assert hand_overs.import_older_log_lines() == 0
