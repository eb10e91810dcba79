"""Files with any content: they are read or refused with words, and never break the importer."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from messaging.batches.states import BatchState
from messaging.models import StagedRow
from messaging.presentation.row_texts import problem_text
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.staff import make_user

from .examples import rolled_back, search, texts

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.fuzz]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030", "utf-32")
NAMES = ("list.csv", "list.xlsx", "list.txt", "list.xls", "名单.CSV", "list", ".xlsx", "a/../b.csv")
NUMBERS = (
    "13912345678",
    "+86 139 1234 5678",
    "139-1234-5678",
    "1.3912345678E+10",
    "１３９１２３４５６７８",
)
cells = st.sampled_from((*NUMBERS, "姓名", "手机号", "name", "=1+1", '"', "a,b", "a\nb")) | texts
rows = st.lists(st.lists(cells, max_size=4), max_size=6)


@pytest.fixture
def sender(db: None) -> tuple[Account, Any]:
    return make_account(), make_user("messaging.bulk_message")


def workbook(table: list[list[str]]) -> bytes:
    book = Workbook()
    for row in table:
        legal = ["".join(c for c in cell if c.isprintable() or c == "\n")[:5000] for cell in row]
        book.active.append(legal)  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def repack(content: bytes, part: int, replacement: bytes) -> bytes:
    """The same archive with one of its parts replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as changed:
        names = source.namelist()
        for index, name in enumerate(names):
            kept = index != part % len(names)
            changed.writestr(name, source.read(name) if kept else replacement)
    return target.getvalue()


@st.composite
def files(draw: st.DrawFn) -> bytes:
    table = draw(rows)
    kind = draw(st.sampled_from(("text", "text", "workbook", "broken workbook", "part", "bytes")))
    if kind == "text":
        separator = draw(st.sampled_from(",;\t|"))
        lines = draw(st.sampled_from("\n\r")).join(separator.join(row) for row in table)
        return lines.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    if kind == "bytes":
        return draw(st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b""])) + draw(st.binary())
    content = workbook(table)
    if kind == "part":
        part = draw(st.binary() | st.sampled_from([b"<a/>", b"<worksheet><sheetData><row><c>"]))
        return repack(content, draw(st.integers(0, 20)), part)
    if kind == "broken workbook":
        # Not by its length: a workbook holds the time, so its length is never the same twice.
        start = len(content) * draw(st.integers(0, 1000)) // 1000
        skipped = draw(st.integers(0, 9))
        return content[:start] + draw(st.binary(max_size=20)) + content[start + skipped :]
    return content


@search
@given(content=files(), name=st.sampled_from(NAMES), text=st.sampled_from(("Hello", "Dear {name}")))
def test_any_file_is_read_or_refused(
    content: bytes, name: str, text: str, sender: tuple[Account, Any]
) -> None:
    account, by = sender
    with rolled_back():
        batch = make_batch(content, account, by=by, file_name=name, text=text)
        assert batch.state in (BatchState.READY, BatchState.UNREADABLE)
        assert batch.good == StagedRow.objects.filter(batch=batch, verdict="good").count()
        for row in StagedRow.objects.filter(batch=batch).exclude(verdict="good"):
            assert str(problem_text(row, account, whole=False))
