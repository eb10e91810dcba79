"""The engine's frequent queries for due work, and its sweeps, use indexes of open rows.

Otherwise they would slow down as tables grow.
"""

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
    "orders": "order_by_account_state",
    "cancels": "cancel_open",
    "polls": "order_by_account_state",
    "contents": "order_poll_due",
    "lists": "one_open_reading_per_list",
}
SMALL = ("account", "providers_account", "rentals_watch", "U0")
"""Tables with one row per account, by their names in query plans."""

CLAIMED_ONLY = "USING INDEX cancel_claimed"
"""A partial index: it has only the rows that a loop holds."""

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


def plans_of(run: Callable[[], object]) -> list[str]:
    """The query plan of each statement that `run` runs, with its actual values."""
    plans: list[str] = []

    def explain(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            plans.extend(detail for *_, detail in cursor.cursor.fetchall())
        return execute(sql, values, many, context)

    with connection.execute_wrapper(explain):
        run()
    return plans


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by table size")
@pytest.mark.parametrize("name", INDEXES)
def test_query_for_due_work_uses_an_index_of_open_rows(name: str) -> None:
    (source,) = (one for one in sources() if one.name == name)
    plans = plans_of(lambda: source.accounts_with_work([1, 2, 3]))
    assert any(f"INDEX {INDEXES[name]} " in plan for plan in plans), plans
    assert [
        plan for plan in plans if plan.startswith("SCAN") and plan.split()[1] not in SMALL
    ] == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by table size")
@pytest.mark.parametrize("name", INDEXES)
def test_sweep_scans_no_growing_table(name: str) -> None:
    (source,) = (one for one in sources() if one.name == name)
    scans = [plan for plan in plans_of(source.sweep) if plan.startswith("SCAN")]
    assert not {plan.split()[1] for plan in scans if not plan.endswith(CLAIMED_ONLY)} & GROWING


def test_every_work_source_is_covered() -> None:
    assert {source.name for source in sources()} == set(INDEXES)
