"""The engine's looks for work, many a second, and its sweeps read what is open and not all that
ever was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from providers.engine.work_source import sources

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

INDEXES = {
    "messages": "message_due",
    "batches": "batch_by_state",
    "enquiries": "enquiry_open",
    "code checks": "attempt_due",
    "orders": "order_by_state",
    "cancels": "cancel_open",
    "polls": "order_poll_due",
    "contents": "order_poll_due",
    "lists": "one_open_reading_per_list",
}
SMALL = ("account", "providers_account", "rentals_watch", "U0")
"""Tables with a row for each account, and the names that they have in a question."""

GROWING = {
    "messaging_message",
    "otp_session",
    "otp_attempt",
    "rentals_order",
    "rentals_cancel",
    "rentals_transaction",
    "providers_apicall",
    "providers_callback",
}


def plans_of(look: Callable[[], object]) -> list[str]:
    """What the database means to do for each question, with the values as they are given."""
    plans: list[str] = []

    def explain(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            plans.extend(detail for *_, detail in cursor.cursor.fetchall())
        return execute(sql, values, many, context)

    with connection.execute_wrapper(explain):
        look()
    return plans


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what a table holds")
@pytest.mark.parametrize("name", INDEXES)
def test_a_look_reads_an_index_of_what_is_open(name: str) -> None:
    (source,) = (one for one in sources() if one.name == name)
    plans = plans_of(lambda: source.accounts_with_work([1, 2, 3]))
    assert any(f"INDEX {INDEXES[name]} " in plan for plan in plans), plans
    assert [
        plan for plan in plans if plan.startswith("SCAN") and plan.split()[1] not in SMALL
    ] == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what a table holds")
@pytest.mark.parametrize("name", INDEXES)
def test_a_sweep_reads_no_table_whole_that_only_grows(name: str) -> None:
    (source,) = (one for one in sources() if one.name == name)
    read = {plan.split()[1] for plan in plans_of(source.sweep) if plan.startswith("SCAN")}
    assert not read & GROWING


def test_each_kind_of_work_is_looked_at_here() -> None:
    assert {source.name for source in sources()} == set(INDEXES)
