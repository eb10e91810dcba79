"""Separators and declarations of CSV files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.batches.importing.csv_table import SEPARATORS, separator_of
from messaging.models import StagedRow
from tests.factories.batches import make_batch

ROWS = [["Name", "Phone", "City"], ["Li", "13912345678", "BJ"], ["Wu", "13800138000", "SH"]]


def joined(separator: str) -> str:
    return "\n".join(separator.join(row) for row in ROWS)


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("before", ["", "sep={}\n", '"sep={}"\r\n', "\ufeffsep={}\n", "SEP={}\n"])
@pytest.mark.django_db
def test_every_separator_is_found_or_declared(separator: str, before: str) -> None:
    content = (before.format(separator) + joined(separator)).encode()
    batch = make_batch(content, text="Hi {Name} in {City}")
    assert batch.columns == ROWS[0]
    assert batch.good == 2


@pytest.mark.django_db
def test_two_byte_order_marks_are_dropped() -> None:
    batch = make_batch(b"\xef\xbb\xbf" * 2 + b'"Name","Phone"\n"Li","13912345678"\n', text="{Name}")
    assert batch.columns == ["Name", "Phone"]
    assert batch.good == 1


@pytest.mark.parametrize(
    ("heading", "place"),
    [
        ("Name\u200b", "Name"),
        ("Pre\u0301nom", "Prénom"),
        ("Prénom", "Pre\u0301nom"),
        ("Ｎａｍｅ", "Name"),
        ("\ufeffName", "NAME"),
        ("First  Name", "first name"),
        ('"=""Name"""', "Name"),
    ],
)
@pytest.mark.django_db
def test_a_column_is_found_however_its_name_is_written(heading: str, place: str) -> None:
    batch = make_batch(f"{heading},Phone\nLi,13912345678\n".encode(), text=f"Hi {{{place}}}")
    assert batch.good == 1
    assert StagedRow.objects.get().text == "Hi Li"


@given(st.text(max_size=200))
def test_any_text_has_a_separator(sample: str) -> None:
    separator, skipped = separator_of(sample)
    assert len(separator) == 1
    assert skipped in (0, 1)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "，", "；"])
def test_every_separator_is_found(separator: str) -> None:
    rows = [["Phone", "Name"], ["13912345678", "Li"], ["13800138000", "Wu, Jr."]]
    text = "\n".join(f'{one}{separator}"{two}"' for one, two in rows)
    assert separator_of(text) == (separator, 0)
