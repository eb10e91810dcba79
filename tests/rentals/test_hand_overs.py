"""Hand-overs are rows; those that an older version logged are imported once."""

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

from core.admin.history import log_text
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
    """A log line as the older version writes it."""
    return LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Order),
        object_id=str(order_pk),
        object_repr="Order",
        action_flag=CHANGE,
        change_message=message,
        action_time=timezone.now() - timedelta(days=days_ago),
    )


def hand_over_lines(order: Order) -> list[str]:
    entries = timeline(order, with_calls=False, with_money=False)
    return [line.text for line in entries if line.text.startswith("Reassigned by")]


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def operator() -> User:
    return make_staff("operator")


# --- this version --------------------------------------------------------------------


def test_reassignment_creates_row_with_both_people_and_log_line(
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
    assert log_text(one.log_entry) == f"Reassigned to {manager.username}"
    order.refresh_from_db()
    assert order.held_by == manager


def test_reassignment_of_an_order_without_holder_has_no_previous_person(
    manager: User, operator: User
) -> None:
    order = change(make_rented(), held_by=None)
    assert hand_overs.hand_over(order, operator, by=manager)
    assert HandOver.objects.get().from_person is None


def test_reassignment_of_an_order_held_by_another_person_leaves_no_trace(
    manager: User, operator: User
) -> None:
    order = make_rented(by=operator)
    Order.objects.filter(pk=order.pk).update(held_by=manager)
    assert not hand_overs.hand_over(order, operator, by=operator)
    assert not HandOver.objects.exists()
    assert not LogEntry.objects.exists()


def test_timeline_shows_rows_and_not_log_lines(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    hand_overs.hand_over(order, manager, by=operator)
    LogEntry.objects.update(change_message="Something else")
    log(order.pk, operator, "Handed to nobody who has a row")
    assert hand_over_lines(order) == [f"Reassigned by {operator.username} to {manager.username}"]


def test_reassignment_survives_deletion_of_its_log_line(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    hand_overs.hand_over(order, manager, by=operator)
    LogEntry.objects.all().delete()
    assert len(hand_over_lines(order)) == 1


# --- what an older version logs beside this one ----------------------------------------


def test_scheduled_task_imports_log_line_of_an_older_version(manager: User, operator: User) -> None:
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
    assert hand_over_lines(order) == [f"Reassigned by {operator.username} to {manager.username}"]


def test_log_line_is_imported_once(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, f"Handed to {manager.username}")
    assert [hand_overs.read_older_lines() for _ in range(2)] == [1, 0]
    assert HandOver.objects.count() == 1


def test_log_line_of_this_version_is_never_imported(manager: User, operator: User) -> None:
    hand_overs.hand_over(make_rented(by=operator), manager, by=operator)
    assert hand_overs.read_older_lines() == 0


@pytest.mark.django_db(transaction=True)
def test_concurrent_imports_of_a_log_line_create_one_row(manager: User, operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, f"Handed to {manager.username}")
    at_once(hand_overs.read_older_lines, 2)
    assert HandOver.objects.count() == 1


def test_unknown_name_is_kept_as_logged(operator: User) -> None:
    order = make_rented(by=operator)
    log(order.pk, operator, "Handed to Somebody Gone")
    hand_overs.read_older_lines()
    assert HandOver.objects.get().to_person is None
    assert hand_over_lines(order) == [f"Reassigned by {operator.username} to Somebody Gone"]


def test_ambiguous_name_is_kept_as_logged(operator: User) -> None:
    for _ in range(2):
        namesake = make_staff("operator")
        User.objects.filter(pk=namesake.pk).update(first_name="Li", last_name="Wei")
    log(make_rented(by=operator).pk, operator, "Handed to Li Wei")
    hand_overs.read_older_lines()
    assert (HandOver.objects.get().to_person, HandOver.objects.get().to_name) == (None, "Li Wei")


@pytest.mark.parametrize("object_id", ["0", "999999", "x", "", "9" * 30])
def test_log_line_without_an_order_is_ignored(operator: User, object_id: str) -> None:
    log(object_id, operator, "Handed to Li Wei")
    assert hand_overs.read_older_lines() == 0


@pytest.mark.parametrize("message", ["Revealed: Handed to Li Wei", "handed to Li Wei", "Cancel"])
def test_other_log_lines_are_ignored(operator: User, message: str) -> None:
    log(make_rented(by=operator).pk, operator, message)
    assert hand_overs.read_older_lines() == 0


# --- the migration ---------------------------------------------------------------------


def migrate_to_newest() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def newest_afterwards() -> Iterator[None]:
    yield
    migrate_to_newest()


@pytest.mark.django_db(transaction=True)
def test_migration_imports_existing_log_lines(
    manager: User, operator: User, newest_afterwards: None
) -> None:
    User.objects.filter(pk=manager.pk).update(first_name="Li", last_name="Wei")
    namesakes = [make_staff("operator").pk for _ in range(2)]
    User.objects.filter(pk__in=namesakes).update(first_name="Ana", last_name="Maria")
    # The current models fit the current tables only, so these rows go back with the tables.
    order = make_rented(by=operator)
    MigrationExecutor(connection).migrate(BEFORE)
    line = log(order.pk, operator, "Handed to Li Wei", days_ago=400)
    log(order.pk, manager, "Handed to Somebody Gone")
    log(order.pk, manager, "Handed to Ana Maria")
    log(order.pk, manager, "Revealed: Customer request")
    for other in ("999999", "x", "9" * 30):
        log(other, manager, "Handed to Li Wei")

    executor = MigrationExecutor(connection)
    executor.migrate(AFTER)
    imported = executor.loader.project_state(AFTER).apps.get_model("rentals", "HandOver")
    assert imported.objects.count() == 3
    migrate_to_newest()

    first, second, third = HandOver.objects.all()
    assert (first.order, first.to_person, first.by) == (order, manager, operator)
    assert (first.at, first.log_entry) == (line.action_time, line)
    assert (second.to_person, second.to_name, second.by) == (None, "Somebody Gone", manager)
    assert (third.to_person, third.to_name) == (None, "Ana Maria")
    assert hand_overs.read_older_lines() == 0
