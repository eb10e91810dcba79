"""Of an answer that lists things the journal keeps how many there were, and which."""

from __future__ import annotations

import json

import pytest

from providers.gateway.listings import Rows, summary_of

ROWS = Rows("orders", "order_id")


def test_the_rows_are_counted_and_named() -> None:
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
def test_what_is_no_such_list_is_kept_as_it_came(body: bytes) -> None:
    assert summary_of(body, ROWS) is None


def test_an_id_that_is_none_is_said_to_be_none() -> None:
    body = b'{"orders": [{"order_id": {"a": 1}}]}'
    assert json.loads(summary_of(body, ROWS) or "")["orders"]["ids"] == [None]
