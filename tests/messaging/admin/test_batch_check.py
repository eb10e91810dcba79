"""What the check page and the confirm page show of a file, and the warnings that must be ticked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from messaging.admin.batch_page import fingerprint
from messaging.batches import create, lifecycle, tasks
from messaging.batches.choices import Choices
from messaging.models import Batch, StagedRow
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
ROUNDED = (
    "phone\n"
    + "".join(f"1391234{index:04}\n" for index in range(40))
    + "".join(f"139{index:04}0000\n" for index in range(1, 6))
)
"""Forty usual numbers and five that end in four zeros."""


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def page_of(batch: Batch, name: str = "change") -> str:
    return reverse(f"admin:messaging_batch_{name}", args=[batch.public_id])


def text_of(browser: Client, batch: Batch, name: str = "change") -> str:
    return browser.get(page_of(batch, name)).content.decode()


def accept(browser: Client, batch: Batch, *ticked: str) -> Any:
    batch.refresh_from_db()
    data = {"warning": list(ticked), "seen": fingerprint(batch)}
    return browser.post(page_of(batch, "accept"), data, follow=True)


def workbook(
    *sheets: tuple[str, Sequence[tuple[object, ...]]], front: int = 0, **hide: Any
) -> bytes:
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.active = front
    shown = book.worksheets[front]
    for row_number in hide.get("rows", ()):
        shown.row_dimensions[row_number].hidden = True
    for letter in hide.get("columns", ()):
        shown.column_dimensions[letter].hidden = True
    for place in hide.get("merged", ()):
        shown.merge_cells(place)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def keys(batch: Batch) -> list[str]:
    return [one["key"] for one in batch.warnings]


def good(batch: Batch) -> list[str]:
    rows = StagedRow.objects.filter(batch=batch, verdict="good").order_by("pk")
    return list(rows.values_list("recipient", flat=True))


# --- what was read ----------------------------------------------------------------


def test_both_pages_show_the_column_and_the_first_masked_recipients(browser: Client) -> None:
    content = "Order number,Mobile,Name\n15000000001,13912345678,Li\n15000000002,13800138000,W\n"
    batch = make_batch(content.encode())
    assert good(batch) == ["+8613912345678", "+8613800138000"]
    for name in ("change", "confirm"):
        page = text_of(browser, batch, name)
        assert "B: Mobile" in page
        assert "Row 1" in page
        assert "+86 139 •••• 5678" in page
        assert "China" in page
        assert "13912345678" not in page
        assert "15000000001" not in page


def test_a_reader_without_rights_sees_no_cell_of_the_file(client: Client) -> None:
    batch = make_batch(b"Name,Phone\nAnna,13912345678\n", text="Dear {Name}")
    client.force_login(make_staff("viewer"))
    page = text_of(client, batch)
    assert "Anna" not in page
    assert "B: Phone" in page


def test_another_candidate_is_offered_and_changes_what_is_read(browser: Client) -> None:
    batch = make_batch(b"a,b\n13912345678,13800138000\n")
    assert keys(batch) == ["column"]
    assert "Other columns that could contain them: b." in text_of(browser, batch)
    browser.post(page_of(batch, "check"), {"number_column": "1", "text": batch.text})
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert good(batch) == ["+8613800138000"]
    assert keys(batch) == []


def test_a_wrong_text_is_shown_beside_its_field_and_not_lost(browser: Client) -> None:
    batch = make_batch(b"Name,Phone\nLi,13912345678\n", text="Hi {Name}")
    answer = browser.post(page_of(batch, "check"), {"number_column": "1", "text": "  "})
    page = answer.content.decode()
    assert "Enter the text." in page
    assert '<option value="1" selected' in page
    batch.refresh_from_db()
    assert batch.state == "ready"


# --- sheets, hidden rows and columns ----------------------------------------------------


def test_the_sheet_in_front_is_read_and_the_others_are_offered(browser: Client) -> None:
    october = ("October", [("Phone",), ("13912345678",)])
    november = ("November", [("Phone",), ("13800138000",)])
    batch = make_batch(workbook(october, november, front=1))
    assert good(batch) == ["+8613800138000"]
    assert "November (2 of 2)" in text_of(browser, batch)
    assert "November (2 of 2)" in text_of(browser, batch, "confirm")
    browser.post(page_of(batch, "check"), {"sheet": "0", "text": batch.text})
    tasks.read(batch.pk)
    assert good(batch) == ["+8613912345678"]


@pytest.mark.parametrize("cover", [[], [("Read me first",), ("Ask Li",)]])
def test_a_cover_sheet_is_passed_over(cover: list[tuple[object, ...]]) -> None:
    batch = make_batch(workbook(("Cover", cover), ("List", [("Phone",), ("13912345678",)])))
    assert good(batch) == ["+8613912345678"]
    assert batch.findings is not None
    assert batch.findings["sheet"] == 1


def test_hidden_rows_are_said_and_can_be_left_out(browser: Client) -> None:
    rows: list[tuple[object, ...]] = [("Phone", "Name"), ("13912345678", "Shown")]
    rows += [("13800138000", "Hidden"), ("13700137000", "Hidden, too")]
    batch = make_batch(workbook(("List", rows), rows=[3, 4]))
    assert batch.good == 3
    page = text_of(browser, batch)
    assert "2 hidden rows are included" in page
    assert "3–4" in page
    data = {"hidden": "leave_out", "text": batch.text}
    browser.post(page_of(batch, "check"), data)
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert good(batch) == ["+8613912345678"]
    assert keys(batch) == []
    assert "2, left out (rows 3–4)" in text_of(browser, batch)


def test_a_hidden_number_column_must_be_confirmed() -> None:
    rows: list[tuple[object, ...]] = [("Name", "Phone"), ("Li", "13912345678")]
    assert keys(make_batch(workbook(("List", rows), columns=["B"]))) == ["hidden_column"]
    rows = [("Phone", "Mobile 2"), ("13912345678", "13800138000")]
    batch = make_batch(workbook(("List", rows), columns=["A"]))
    assert good(batch) == ["+8613800138000"]


MERGED: list[tuple[object, ...]] = [
    ("Phone", "Name"),
    ("13912345678", "Li"),
    ("13800138000", ""),
    ("13700137000", "Wu"),
]


def test_merged_cells_are_named_and_their_value_belongs_to_each_row(browser: Client) -> None:
    batch = make_batch(workbook(("List", MERGED), merged=["B2:B3"]), text="Hi {Name}")
    words = "B2:B3: a value applies to all rows of its cell, in the first column."
    assert words in text_of(browser, batch)
    assert list(StagedRow.objects.order_by("pk").values_list("text", flat=True)) == [
        "Hi Li",
        "Hi Li",
        "Hi Wu",
    ]
    batch.findings = {
        key: one for key, one in (batch.findings or {}).items() if key != "merged_filled"
    }
    batch.save()
    assert "B2:B3: only the first cell of each has a value." in text_of(browser, batch)


def test_the_rows_of_a_merged_number_are_refused_if_their_texts_may_differ(
    browser: Client,
) -> None:
    rows = [*MERGED[:2], ("", "Chen"), MERGED[3]]
    content = workbook(("List", rows), merged=["A2:A3"])
    batch = make_batch(content, text="Hi {Name}")
    assert good(batch) == ["+8613700137000"]
    assert (batch.good, batch.refused) == (1, 2)
    assert "merged over rows 2 to 3" in text_of(browser, batch)
    batch = make_batch(content, text="Hello")
    assert good(batch) == ["+8613912345678", "+8613700137000"]
    assert (batch.good, batch.repeated) == (2, 1)


def test_names_with_commas_stay_apart(browser: Client) -> None:
    batch = make_batch(b'Phone,"Last, first"\n13912345678,"Li, Wei"\n', text="Hi {Name}")
    page = text_of(browser, batch)
    assert "Columns: “Phone”, “Last, first”." in page
    assert "not in the file: “Name”." in page
    # As versions before this one stored it.
    Batch.objects.update(values={"unknown": "Name", "columns": "Phone, Last, first"})
    assert "Columns: Phone, Last, first." in text_of(browser, batch)


@pytest.mark.parametrize(
    "text", ["Hi {{Name}}", "您好｛Name｝", "Hi [Name]", "Hi ${Name}", "Hi #Name#", "Hi ((Name))"]
)
def test_what_only_looks_like_a_place_is_not_sent(browser: Client, text: str) -> None:
    batch = make_batch(b"Phone,Name\n13912345678,Li\n", text=text)
    assert (batch.state, batch.reason) == ("unreadable", "text_lookalikes")
    assert not StagedRow.objects.exists()
    assert "without the column&#x27;s value: “" in text_of(browser, batch)


# --- encodings -------------------------------------------------------------------------


def test_a_guessed_encoding_is_said_compared_and_can_be_changed(browser: Client) -> None:
    content = "Telefon;Name\n+8613912345678;Müller\n+8613800138000;Schäfer\n".encode("cp1252")
    creator = make_staff("manager")
    browser.force_login(creator)
    batch = make_batch(content, text="Hi {Name}", by=creator)
    assert StagedRow.objects.order_by("pk")[0].text == "Hi Müller"
    assert keys(batch) == ["encoding"]
    page = text_of(browser, batch)
    assert "Windows-1252, a guess from 2 bytes beyond ASCII" in page
    assert "GB18030" in page
    assert "••••;Müller" in page
    browser.post(page_of(batch, "check"), {"encoding": "gb18030", "text": batch.text})
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert "Müller" not in StagedRow.objects.order_by("pk")[0].text
    assert keys(batch) == []


def test_a_certain_encoding_asks_nothing(browser: Client) -> None:
    batch = make_batch("电话,姓名\n13912345678,张三\n".encode(), text="{姓名}")
    assert keys(batch) == []
    page = text_of(browser, batch)
    assert "UTF-8" in page
    assert 'name="encoding"' not in page


def test_a_guess_that_no_text_depends_on_asks_nothing() -> None:
    assert keys(make_batch("电话,姓名\n13912345678,张三\n".encode("gbk"))) == []


# --- warnings --------------------------------------------------------------------------


def test_a_warning_must_be_ticked_before_the_batch_can_start(browser: Client) -> None:
    batch = make_batch(ROUNDED.encode())
    assert keys(batch) == ["zeros"]
    page = text_of(browser, batch)
    assert "6 numbers end in 0000" in page
    assert "Tick the warning to continue." in page
    assert page_of(batch, "confirm") not in page
    assert not lifecycle.start(batch, batch.created_by)
    answer = browser.get(page_of(batch, "confirm"), follow=True).content.decode()
    assert "Tick each warning before you continue." in answer
    data = {"when": "now", "seen": fingerprint(batch)}
    browser.post(page_of(batch, "confirm"), data)
    assert "Tick each warning" in accept(browser, batch).content.decode()
    assert "Tick each warning" in accept(browser, batch, "other").content.decode()
    batch.refresh_from_db()
    assert batch.state == "ready"
    shown = accept(browser, batch, "zeros").content.decode()
    assert "1 warning confirmed:" in shown
    browser.post(page_of(batch, "confirm"), data)
    batch.refresh_from_db()
    assert batch.state == "sending"
    assert batch.sample is None


def test_a_tick_counts_only_for_what_was_shown(browser: Client) -> None:
    batch = make_batch(ROUNDED.encode())
    old = fingerprint(batch)
    create.recheck(batch, text=batch.text, number_column=None)
    tasks.read(batch.pk)
    data = {"warning": ["zeros"], "seen": old}
    answer = browser.post(page_of(batch, "accept"), data, follow=True).content.decode()
    assert "This batch has been checked again since you opened it." in answer
    batch.refresh_from_db()
    assert not batch.is_accepted
    accept(browser, batch, "zeros")
    stale = Batch.objects.get()
    create.recheck(batch, text=batch.text, number_column=None, choices=Choices(heading_row=1))
    tasks.read(batch.pk)
    assert not lifecycle.start(stale, batch.created_by)
    batch.refresh_from_db()
    assert not batch.is_accepted


def test_a_ticked_box_stays_ticked_when_another_one_is_missing(browser: Client) -> None:
    numbers = "".join(f"1391234{index:04},1381234{index:04}\n" for index in range(40))
    zeros = "".join(f"139{index:04}0000,1381235{index:04}\n" for index in range(1, 6))
    batch = make_batch(f"a,b\n{numbers}{zeros}".encode())
    assert keys(batch) == ["column", "zeros"]
    page = accept(browser, batch, "zeros").content.decode()
    assert page.count(" checked>") == 1


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("1 (305) 555-1234\n13912345678", []),
        ("13912345678\n" * 1 + "13912345679", []),
        ("+6281234567890\n" + "\n".join(f"1391234{i:04}" for i in range(20)), ["country"]),
        ("\n".join(f"+62812345678{i:02}" for i in range(20)), []),
    ],
)
def test_what_is_unusual_in_the_whole_column_is_a_warning(rows: str, found: list[str]) -> None:
    account = make_account(allowed_countries=["CN", "ID", "US"])
    batch = make_batch(f"phone\n{rows}\n".encode(), account)
    assert [key for key in keys(batch) if key == "country"] == found


def test_a_country_that_the_account_never_sent_to_is_a_warning(browser: Client) -> None:
    account = make_account(allowed_countries=["CN", "ID"])
    for index in range(20):
        make_message(account, recipient=f"+86139123456{index:02}", country="CN")
    batch = make_batch(b"phone\n+6281234567890\n", account)
    assert keys(batch) == ["country"]
    page = text_of(browser, batch)
    assert "1 of 1 recipients is in Indonesia" in page
    assert "0 were sent to Indonesia" in page
