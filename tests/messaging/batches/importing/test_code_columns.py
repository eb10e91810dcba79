"""A country code in a column of its own beside numbers without one."""

from __future__ import annotations

import pytest

from messaging.batches.importing.code_columns import calling_code, code_column_of
from messaging.models import Batch
from messaging.presentation.reading_texts import warnings_of
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch


@pytest.mark.parametrize(
    ("names", "column"),
    [
        (["Country code", "Phone"], 0),
        (["Phone", "COUNTRY_CODE"], 1),
        (["手机", "国家代码"], 1),
        (["Phone", "Country"], 1),
        (["Phone", "Name"], None),
        (["Phone", "Discount code"], None),
    ],
)
def test_column_is_found_by_its_heading(names: list[str], column: int | None) -> None:
    number = next(place for place, name in enumerate(names) if name in ("Phone", "手机"))
    assert code_column_of(names, number) == column


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("49", "49"),
        ("+49", "49"),
        ("0049", "49"),
        ("49.0", "49"),
        ("４９", "49"),
        ("'49", "49"),
        ("de", "49"),
        ("ZZ", ""),
        ("Germany", ""),
        ("999", ""),
        ("021", ""),
        ("", ""),
    ],
)
def test_calling_code_is_read_from_digits_and_from_a_country(cell: str, code: str) -> None:
    assert calling_code(cell) == code


@pytest.mark.django_db
class TestWarning:
    @pytest.mark.parametrize("stated", ["49", "+49", "DE"])
    def test_warns_of_numbers_that_their_row_places_abroad(self, stated: str) -> None:
        batch = self.batch(f"Country code,Phone\n{stated},15123456789\n86,13912345678\n")
        assert [one["key"] for one in batch.warnings] == ["other_codes"]
        assert batch.warnings[0]["values"] == {"count": 1, "rows": [2]}
        assert "China" in warnings_of(batch)[0].title

    @pytest.mark.parametrize("row", ["86,13912345678", "CN,13912345678", ",13912345678"])
    def test_says_nothing_if_the_row_agrees_or_is_silent(self, row: str) -> None:
        assert not self.batch(f"Country code,Phone\n{row}\n").warnings

    def test_says_nothing_of_a_number_with_its_own_country_code(self) -> None:
        assert not self.batch("Country,Phone\nDE,+86 139 1234 5678\n").warnings

    def batch(self, content: str) -> Batch:
        return make_batch(content.encode(), account=make_account(), text="Hello")
