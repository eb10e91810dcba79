"""The journal keeps the number and the ids of the rows of a list answer."""

from __future__ import annotations

import json

import pytest

from providers.gateway.listings import Rows, summary_of

ROWS = Rows("orders", "order_id")


def test_rows_are_replaced_by_count_and_ids() -> None:
    listed = [{"order_id": 1, "phone": "+62812", "code": "482913"}, {"order_id": 2}]
    body = json.dumps({"orders": listed, "total": 156, "page": 1})
    assert json.loads(summary_of(body.encode(), ROWS) or "") == {
        "orders": {"rows": 2, "ids": [1, 2]},
        "total": 156,
        "page": 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b"[]",
        b'{"error": "no", "code": "UNAUTHORIZED"}',
        b'{"orders": "none"}',
        b'{"orders": [1, 2]}',
        b'{"orders": [], "more": {"a": 1}}',
        b'{"orders": [{"order',
    ],
)
def test_answer_that_is_not_such_a_list_has_no_summary(body: bytes) -> None:
    assert summary_of(body, ROWS) is None


def test_invalid_id_becomes_null() -> None:
    body = b'{"orders": [{"order_id": {"a": 1}}]}'
    assert json.loads(summary_of(body, ROWS) or "")["orders"]["ids"] == [None]
