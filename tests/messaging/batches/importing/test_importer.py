"""Importing files and pasted lists: formats, verdicts, rejected files and interrupted reads."""

from __future__ import annotations

import io
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from openpyxl import Workbook
from pytest_django import Settings

from messaging import do_not_send
from messaging.batches import lifecycle, resend, tasks
from messaging.batches.create import paste_to_file
from messaging.batches.importing import importer
from messaging.models import Batch, Message, StagedRow
from messaging.presentation.row_texts import problem_text
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

TABLE = "姓名,手机号\n张三,13912345678\n李四,13700000001\n"


def recipients(batch: Batch) -> list[str]:
    good = StagedRow.objects.filter(batch=batch, verdict="good").order_by("pk")
    return list(good.values_list("recipient", flat=True))


def problems(batch: Batch) -> dict[int, str]:
    faulty = StagedRow.objects.filter(batch=batch).exclude(verdict="good")
    return {row.number: row.problem for row in faulty}


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr, arg-type]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


# --- table formats ----------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk", "gb18030"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_and_separator_is_read(encoding: str, separator: str) -> None:
    content = TABLE.replace(",", separator).encode(encoding)
    batch = make_batch(content, text="{姓名}，您的包裹已到。")
    assert batch.columns == ["姓名", "手机号"]
    assert recipients(batch) == ["+8613912345678", "+8613700000001"]
    texts = StagedRow.objects.order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["张三，您的包裹已到。", "李四，您的包裹已到。"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(end: str) -> None:
    assert len(recipients(make_batch(TABLE.replace("\n", end).encode()))) == 2


def test_a_quoted_line_break_is_part_of_its_cell() -> None:
    batch = make_batch(b'note,phone\n"one\ntwo",13912345678\nx,12\n')
    assert recipients(batch) == ["+8613912345678"]
    assert problems(batch) == {3: "phone_digits"}


def test_a_declared_separator_is_used() -> None:
    assert len(recipients(make_batch(b"sep=;\nphone;x\n13912345678;1,2,3\n"))) == 1


def test_a_workbook_keeps_its_numbers_whole() -> None:
    batch = make_batch(
        workbook(
            ("Name", "Phone"),
            ("A", 13912345678),
            ("B", 1.3700000001e10),
            ("C", "+86 136 0000 0001"),
        )
    )
    assert recipients(batch) == ["+8613912345678", "+8613700000001", "+8613600000001"]


def test_columns_without_a_heading_are_named_by_letters() -> None:
    batch = make_batch(b"13912345678,x\n13700000001,y\n", text="{B}")
    assert (batch.columns, batch.good) == (["A", "B"], 2)


def test_a_first_row_with_a_faulty_number_is_data() -> None:
    batch = make_batch(b"139,Anna\n13912345678,Bo\n")
    assert (batch.columns, problems(batch)) == (["A", "B"], {1: "phone_digits"})


def test_a_heading_may_start_with_an_image_signature() -> None:
    assert make_batch(b"BMW,phone\nX5,13912345678\n").good == 1


def test_a_blank_before_a_quotation_mark_is_ignored() -> None:
    assert recipients(make_batch(b'name,phone\n"Anna", "13912345678"\n')) == ["+8613912345678"]


@pytest.mark.parametrize(
    "text",
    [
        "13912345678\n13700000001",
        "13912345678, 13700000001;13912345678",
        "13912345678、13700000001",
    ],
)
def test_pasted_numbers_may_be_a_list(text: str) -> None:
    assert recipients(make_batch(text)) == ["+8613912345678", "+8613700000001"]


def test_pasted_rows_of_a_spreadsheet_are_a_table() -> None:
    assert paste_to_file("name\tphone\r\nA\t139").decode() == "name\tphone\nA\t139"


# --- verdicts ------------------------------------------------------------------------


def test_every_row_gets_one_verdict_and_the_counts_add_up() -> None:
    do_not_send.add("+8613700000001", "asked us to stop", make_user())
    content = (
        "phone\n13912345678\n+86 139-1234-5678\n8613912345678\n13700000001\n"
        "1.39123E+10\n+6281234567890\n1391234\nabc\n13600000001\n"
    )
    batch = make_batch(content.encode())
    verdicts = Counter(StagedRow.objects.values_list("verdict", flat=True))
    assert verdicts == {"good": 2, "repeated": 2, "listed": 1, "refused": 4}
    assert (batch.row_count, batch.good, batch.repeated, batch.listed, batch.refused) == (
        9, 2, 2, 1, 4,
    )  # fmt: skip
    assert problems(batch) == {
        3: "repeated",
        4: "repeated",
        5: "listed",
        6: "phone_shortened",
        7: "country",
        8: "phone_digits",
        9: "phone_letter",
    }


def test_every_problem_has_a_text() -> None:
    batch = make_batch(b"phone\n1.39123E+10\n+6281234567890\n1391234\nabc\n10086\n13912345678\n")
    for row in StagedRow.objects.exclude(verdict="good"):
        words = problem_text(row, batch.account, whole=True)
        assert words.endswith(".")
        assert "%(" not in words
        if row.problem != "phone_shortened":
            assert row.typed not in problem_text(row, batch.account, whole=False)


def test_rows_that_cost_more_are_counted() -> None:
    rows = "".join(f"Ann,139{i:08}\n" for i in range(5)) + "N" * 200 + ",13700000001\n"
    batch = make_batch(f"name,phone\n{rows}".encode(), text="Dear {name}")
    assert (batch.segments, batch.usual_segments, batch.costly) == (7, 1, 1)


def test_a_row_with_a_too_long_text_is_refused() -> None:
    batch = make_batch(f"name,phone\n{'N' * 2000},13912345678\n".encode(), text="Dear {name}")
    assert problems(batch) == {2: "too_long"}


def test_a_later_complete_row_of_the_same_number_is_used() -> None:
    content = b"name,phone\n,13912345678\n#N/A,13912345678\nBo,13912345678\nAl,13912345678\n"
    batch = make_batch(content, text="Dear {name}")
    assert problems(batch) == {2: "empty_place", 3: "empty_place", 5: "repeated"}
    assert StagedRow.objects.get(verdict="good").text == "Dear Bo"


def test_a_number_in_scientific_notation_with_all_digits_is_masked() -> None:
    batch = make_batch(b"phone\n1.391234567e10\n13912345678\n")
    row = StagedRow.objects.get(problem="phone_shortened")
    assert "391234567" not in problem_text(row, batch.account, whole=False)
    assert "1.391234567e10" in problem_text(row, batch.account, whole=True)


# --- unreadable files -------------------------------------------------------------


UNREADABLE = {
    "empty": (b"", "file_empty"),
    "blank": (b"\n\n ,\n", "file_empty"),
    "heading only": (b"name,phone\n", "file_no_number_column"),
    "no numbers": (b"a,b\n1,2\n3,4\n", "file_no_number_column"),
    "an image": (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "file_wrong_kind"),
    "zero bytes": (b"phone\n139\x0012345678\n", "file_unreadable"),
    "an old or protected workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 64, "file_unreadable"),
    "a damaged workbook": (b"PK\x03\x04" + b"x" * 200, "file_unreadable"),
    "a line of a megabyte": (b"phone\n" + b"1" * 1_000_000, "file_unreadable"),
    "an unclosed quotation mark": (
        b'name,phone\n"Anna,13912345678\nBo,13700000001\n',
        "file_quotes",
    ),
    "an unclosed quotation mark in a large file": (
        b'name,phone\n"Anna,13912345678\n' + b"Bo,13700000001\n" * 20_000,
        "file_quotes",
    ),
    "a quotation mark that spans rows": (
        b'name,phone\n"Anna,13912345678\nBo,13700000001\n"Carl",13600000001\n',
        "file_quotes",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_files_are_rejected_with_a_reason(name: str) -> None:
    content, reason = UNREADABLE[name]
    batch = make_batch(content)
    assert (batch.state, batch.reason, StagedRow.objects.count()) == ("unreadable", reason, 0)


def test_the_row_of_an_unclosed_quotation_mark_is_reported() -> None:
    batch = make_batch(b'name,phone\nBo,13700000001\n"Anna,13912345678\n')
    assert batch.values == {"row": 3}


def test_an_unknown_placeholder_is_reported_with_the_columns() -> None:
    batch = make_batch(TABLE.encode(), text="Dear {Name}")
    assert batch.reason == "text_unknown_columns"
    assert batch.values == {"unknown": ["Name"], "columns": ["姓名", "手机号"]}


def test_a_file_with_too_many_rows_is_rejected(settings: Settings) -> None:
    settings.BATCH_ROWS = 3
    batch = make_batch(numbers(4))
    assert (batch.state, batch.reason) == ("unreadable", "file_too_many_rows")
    assert make_batch(numbers(3)).good == 3


# --- killed, concurrent and late reads ---------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_concurrent_reads_stage_each_row_once() -> None:
    batch = make_batch(numbers(4500), read_it=False)
    at_once(lambda: tasks.read(batch.pk), 3)
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.good, StagedRow.objects.count()) == ("ready", 4500, 4500)


def test_a_killed_read_is_repeated() -> None:
    batch = make_batch(numbers(3), read_it=False)
    Batch.objects.update(
        reading_run=uuid4(), reading_at=timezone.now() - timedelta(minutes=5), reading_tries=1
    )
    StagedRow.objects.create(batch=batch, run=uuid4(), number=1, verdict="good")
    tasks.tend()
    batch.refresh_from_db()
    assert (batch.state, batch.good, StagedRow.objects.count()) == ("ready", 3, 3)


def test_a_read_that_lost_its_batch_writes_nothing() -> None:
    batch = make_batch(numbers(3), read_it=False)
    claimed = importer._claim(batch.pk)
    assert claimed is not None
    Batch.objects.update(reading_run=uuid4())
    with pytest.raises(importer._OwnershipLost):
        importer._read(*claimed)
    assert StagedRow.objects.count() == 0


def test_a_file_that_killed_three_reads_is_rejected() -> None:
    batch = make_batch(numbers(3), read_it=False)
    Batch.objects.update(reading_tries=3, reading_at=timezone.now() - timedelta(minutes=5))
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("unreadable", "reading_gave_up")


@pytest.mark.django_db(transaction=True)
def test_a_resend_is_read_while_other_connections_write(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = start_batch(make_batch(numbers(30)))
    Message.objects.update(state="undelivered")
    lifecycle.finish_completed()
    monkeypatch.setattr(resend, "CHUNK", 5)
    monkeypatch.setattr(importer, "CHUNK", 10)
    write = importer._write

    def write_after_other_connection(*args: Any) -> None:
        at_once(lambda: Batch.objects.filter(pk=batch.pk).update(a_minute=1), 1)
        write(*args)

    monkeypatch.setattr(importer, "_write", write_after_other_connection)
    new = resend.resend_batch(batch, batch.created_by, "again")
    tasks.read(new.pk)
    new.refresh_from_db()
    assert (new.state, new.good) == ("ready", 30)


def test_the_account_decides_which_countries_are_allowed() -> None:
    account = make_account(allowed_countries=["CN", "ID"])
    assert make_batch("+6281234567890\n13912345678", account).good == 2


@pytest.mark.parametrize("text", ["Hi {{Name}}", "您好｛Name｝", "Hi [Name]", "Hi $Name"])
def test_text_with_a_lookalike_of_a_column_is_not_sent(text: str) -> None:
    batch = make_batch(b"Phone,Name\n13912345678,Li\n", text=text)
    assert (batch.state, batch.reason) == ("unreadable", "text_lookalikes")
    assert batch.columns == ["Phone", "Name"]
    assert batch.values["column"] == "Name"


def test_numbers_that_were_kept_as_decimals_are_read() -> None:
    batch = make_batch(b"Phone,Name\n13912345678.0,Li\n13800138000.00,W\n1391234567.0,B\n")
    assert problems(batch) == {4: "phone_digits"}
    good = StagedRow.objects.filter(verdict="good").order_by("pk")
    assert list(good.values_list("recipient", flat=True)) == ["+8613912345678", "+8613800138000"]
