"""Many rows in one go, and nothing of them in an error."""

from __future__ import annotations

import traceback

import pytest
from django.db import IntegrityError, transaction

from core.bulk_insert import insert_rows
from messaging.models import Template

pytestmark = pytest.mark.django_db
TABLE = Template._meta.db_table
COLUMNS = ("public_id", "name", "text", "in_use")


def test_rows_come_back_as_they_were_written() -> None:
    text = 'tab\there, line\nthere, back\\slash, \\N, "quotes" and 短信'
    insert_rows(TABLE, COLUMNS, iter([["1", "one", text, True], ["2", "two", "", False]]))
    written = Template.objects.order_by("name").values_list("name", "text", "in_use")
    assert list(written) == [("one", text, True), ("two", "", False)]


def test_a_row_that_is_refused_is_not_quoted() -> None:
    rows: list[list[object]] = [
        ["1", "one", "fine", True],
        ["2", None, "a text to a customer", True],
    ]
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        insert_rows(TABLE, COLUMNS, rows)
    told = "".join(traceback.format_exception(refused.value))
    assert TABLE in str(refused.value)
    assert "a text to a customer" not in told
    assert not Template.objects.exists()
