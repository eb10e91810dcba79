"""Bulk inserts: values are kept, and errors quote no row."""

from __future__ import annotations

import traceback

import pytest
from django.db import IntegrityError, transaction

from core.bulk_insert import insert_rows
from messaging.models import Template

pytestmark = pytest.mark.django_db
TABLE = Template._meta.db_table
COLUMNS = ("public_id", "name", "text", "in_use")


def test_inserted_rows_keep_their_values() -> None:
    text = 'tab\there, line\nthere, back\\slash, \\N, "quotes" and 短信'
    insert_rows(TABLE, COLUMNS, iter([["1", "one", text, True], ["2", "two", "", False]]))
    written = Template.objects.order_by("name").values_list("name", "text", "in_use")
    assert list(written) == [("one", text, True), ("two", "", False)]


def test_error_does_not_quote_the_rejected_row() -> None:
    rows: list[list[object]] = [
        ["1", "one", "fine", True],
        ["2", None, "a text to a customer", True],
    ]
    with pytest.raises(IntegrityError) as failure, transaction.atomic():
        insert_rows(TABLE, COLUMNS, rows)
    formatted = "".join(traceback.format_exception(failure.value))
    assert TABLE in str(failure.value)
    assert "a text to a customer" not in formatted
    assert not Template.objects.exists()
