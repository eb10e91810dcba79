"""Finds queries that read or sort a large table, by the plans of both databases.

Nothing is measured: a plan says it before there are many rows. SQLite has no statistics, as in the
product. PostgreSQL is told to avoid what would be right for few rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection

LARGE: Final = (
    "core_act",
    "messaging_message",
    "otp_session",
    "otp_sentcode",
    "rentals_order",
    "rentals_transaction",
    "providers_apicall",
    "providers_callback",
    "providers_balancereading",
)
FEW: Final = (
    "message_conflict",
    "message_settled",
    "message_on_hold",
    "session_to_expire",
    "apicall_no_answer",
    "order_on_hold",
    'hold_id" IS NOT NULL',
    'expires_at" <=',
    '"otp_sentcode"."session_id" IN',
)
"""Indexes and conditions that few rows have, however large the table is. They may be sorted."""
Query = tuple[str, Any]


@contextmanager
def captured() -> Iterator[list[Query]]:
    """The queries that read or change a large table, with their parameters."""
    found: list[Query] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and any(f'"{table}"' in sql or f" {table} " in sql for table in LARGE):
            found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def faults_of(queries: list[Query], few: Collection[str] = ()) -> list[str]:
    """What is wrong with the plan of each query; empty if nothing is.

    `few`: more indexes and conditions like those of `FEW`.
    """
    find = {"sqlite": _sqlite_faults, "postgresql": _postgresql_faults}[connection.vendor]
    found = []
    for sql, params in queries:
        if not sql.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            continue
        found += [
            f"{fault}\n    {sql[:1500]} {params}" for fault in find(sql, params, [*FEW, *few])
        ]
    return list(dict.fromkeys(found))


# --- SQLite -----------------------------------------------------------------------------

_SCAN: Final = re.compile(r"^SCAN (\w+)(.*)$")
_SEARCH: Final = re.compile(r"^SEARCH (\w+) USING (.*)$")


def _sqlite_faults(sql: str, params: Any, few_by: Collection[str]) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        steps = [row[3] for row in cursor.fetchall()]
    aliases = {
        alias: table for table, alias in re.findall(r'(?:FROM|JOIN) "?(\w+)"? (U\d+|entry)\b', sql)
    }
    of_few = any(few in sql for few in few_by)
    by_index = False
    for step in steps:
        scan, search = _SCAN.match(step), _SEARCH.match(step)
        is_bounded = _reads_first_rows(sql) or any(few in step for few in few_by)
        if scan and aliases.get(scan[1], scan[1]) in LARGE and not is_bounded:
            yield step
        if search and aliases.get(search[1], search[1]) in LARGE:
            reads_few = any(few in search[2] for few in few_by)
            by_index = by_index or not (reads_few or "INTEGER PRIMARY KEY" in search[2])
            if "(account_id=?)" in search[2] and "LIMIT" not in sql and not reads_few:
                yield f"all rows of an account: {step}"
    is_large = 'ORDER BY "providers_account"' not in sql
    if by_index and is_large and not of_few and "USE TEMP B-TREE FOR ORDER BY" in steps:
        yield "; ".join(steps)


def _reads_first_rows(sql: str) -> bool:
    """Whether the query reads a few rows from the beginning of an index, whatever they are."""
    return "LIMIT" in sql and "WHERE" not in re.sub(r"(FILTER \(WHERE|WHERE NOT)", "", sql)


# --- PostgreSQL -------------------------------------------------------------------------


def _postgresql_faults(sql: str, params: Any, few_by: Collection[str]) -> Iterator[str]:
    # A few rows are sorted. Many are read in the order of an index, which sorting rules out here.
    first, *others = (list(_faults_with(sql, params, few_by, sort)) for sort in ("off", "on"))
    if first and all(others):
        yield from first


def _faults_with(sql: str, params: Any, few_by: Collection[str], sort: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_sort = {sort}")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchall()[0][0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    of_few = any(few in sql for few in few_by)
    yield from _node_faults(plan[0]["Plan"], few_by, limited=False, of_few=of_few)


def _node_faults(
    node: dict[str, Any], few_by: Collection[str], *, limited: bool, of_few: bool
) -> Iterator[str]:
    kind = node["Node Type"]
    limited = limited or kind == "Limit"
    # The first rows of an index, whatever they are, are few.
    is_bounded = (limited and not node.get("Filter")) or node.get("Index Name") in few_by
    if node.get("Relation Name") in LARGE and _reads_all(node) and not is_bounded:
        yield f"{kind} of {node['Relation Name']} {node.get('Index Name')}, {node.get('Filter')}"
    if kind == "Sort" and not of_few and any(_reads_range(below, few_by) for below in _below(node)):
        yield f"Sort by {node['Sort Key']}"
    for part in node.get("Plans", ()):
        yield from _node_faults(part, few_by, limited=limited, of_few=of_few)


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in node.get("Plans", ()):
        yield part
        yield from _below(part)


def _reads_all(node: dict[str, Any]) -> bool:
    return node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan") and not node.get(
        "Index Cond"
    )


def _reads_range(node: dict[str, Any], few_by: Collection[str]) -> bool:
    return (
        node.get("Relation Name") in LARGE
        and node.get("Index Name") not in few_by
        and node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Seq Scan")
        and not re.search(r"\bid = ", str(node.get("Index Cond") or node.get("Recheck Cond") or ""))
    )


def prepare() -> None:
    """Let the planner see the rows that are there, and take it the ways that suit few rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
