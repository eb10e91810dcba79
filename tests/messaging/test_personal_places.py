"""Files of batches are searched for a number in every form that staff upload."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from core.phones.traces import Traces
from messaging import personal_places
from messaging.personal_places import has_number

TRACES = Traces("+8613912345678")
TEXT = "name,number\nAnn,139 1234 5678\n"


def workbook(value: object) -> bytes:
    book, made = Workbook(write_only=True), io.BytesIO()
    book.create_sheet().append(["number", value])
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])
def test_texts_in_any_encoding(encoding: str) -> None:
    assert has_number(TEXT.encode(encoding), TRACES)
    assert not has_number(TEXT.replace("5678", "5679").encode(encoding), TRACES)


@pytest.mark.parametrize("value", [13912345678, "139-1234-5678"])
def test_workbooks_with_numbers_as_numbers_and_as_texts(value: object) -> None:
    assert has_number(workbook(value), TRACES)
    assert not has_number(workbook(13912345679), TRACES)


def test_a_number_on_the_border_of_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal_places, "PIECE", 7)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.xml", "<v>13912345678</v>")
    assert has_number(made.getvalue(), TRACES)


def test_a_damaged_archive_is_no_error() -> None:
    assert not has_number(workbook(1)[:-30] + b"PK\x05\x06" + bytes(18), TRACES)
