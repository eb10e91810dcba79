"""Detecting the heading row and the number column of tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.batches.importing.columns import columns_of
from messaging.batches.importing.names import Naming, fold, naming_of

FIVE = ["15000000001", "15000000002", "15000000003", "15000000004", "15000000005"]


def table(text: str) -> list[tuple[int, list[str]]]:
    rows = [line.split(",") for line in text.split("\n")]
    return [(number, cells) for number, cells in enumerate(rows, 1) if any(cells)]


def number_column(text: str) -> str | None:
    columns = columns_of(table(text))
    return None if columns.number is None else columns.names[columns.number]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (
            "Order number,Mobile,Name\n15000000001,13912345678,Li\n15000000002,13800138000,W",
            "Mobile",
        ),
        (
            (
                "手机,order\n13912345678,15000000001\n1380013800,15000000002\n"
                "13700137000,15000000003\n1360013600,15000000004\n13500135000,15000000005"
            ),
            "手机",
        ),
        ("number,B\n15000000001,13912345678\n15000000002,13912345679", "number"),
        ("订单号,电话\n15000000001,13912345678", "电话"),
        ("Account number,Contact\n15000000001,13912345678", "Contact"),
        ("Tel,Mobile\n13700000001,13912345678", "Mobile"),
        ("紧急联系电话,联系电话\n13700000001,13912345678", "联系电话"),
        ("Phone model,Recipient\n13700000001,13912345678", "Phone model"),
        ("Phone type,To\nmobile,13912345678\nlandline,13912345679", "To"),
        ("msisdn,name\n6281234567890,Budi\n6281234567891,Ani", "msisdn"),
        ("Order number,Name\n15000000001,Li\n15000000002,Wu", None),
    ],
)
def test_the_heading_counts_more_than_the_share_of_numbers(text: str, column: str | None) -> None:
    if column == "Phone model":
        # Neither heading names phones, so the first column is taken and the other one offered.
        assert columns_of(table(text)).candidates
    assert number_column(text) == column


@pytest.mark.parametrize("heading", ["Order number", "Account No.", "订单号", "OrderNo", "卡号"])
@pytest.mark.parametrize("phone", ["Mobile", "phone_number", "手机号", "Telefon", "PhoneNumber"])
def test_another_kind_of_number_is_never_guessed(heading: str, phone: str) -> None:
    body = "\n".join(f"{serial},1391234567{index}" for index, serial in enumerate(FIVE))
    assert number_column(f"{heading},{phone}\n{body}") == phone
    assert columns_of(table(f"{heading}\n" + "\n".join(FIVE))).candidates == [0]


@pytest.mark.parametrize(
    ("heading", "naming"),
    [
        ("Mobile", Naming.MOBILE),
        ("userMobile", Naming.MOBILE),
        ("Ｐｈｏｎｅ", Naming.PHONE),
        ("Téléphone", Naming.PHONE),
        ("Number", Naming.NONE),
        ("号码", Naming.NONE),
        ("Hotel", Naming.NONE),
        ("Cancelled", Naming.NONE),
        ("手机型号", Naming.NONE),
        ("Phone type", Naming.NONE),
        ("手机订单号", Naming.OTHER),
        ("Mobile order number", Naming.OTHER),
        ("Customer number", Naming.OTHER),
        ("订单手机号", Naming.MOBILE),
        ("Emergency phone", Naming.PHONE_OF_ANOTHER),
    ],
)
def test_a_heading_says_what_its_numbers_are(heading: str, naming: Naming) -> None:
    assert naming_of(heading) == naming


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("手机号,姓名,2026年11月欠费\n13912345678,李,120.50", ["手机号", "姓名", "2026年11月欠费"]),
        ("手机号,2025,2026\n13912345678,1,2", ["手机号", "2025", "2026"]),
        ("November customers,,\nPhone,Name,City\n13912345678,Li,BJ", ["Phone", "Name", "City"]),
        (
            (
                "November customers,,\n\nPrinted 2026-11-28,,\nPhone,Name,City\n13912345678,Li,BJ\n"
                "13912345679,Wu,"
            ),
            ["Phone", "Name", "City"],
        ),
        ("Table 1\nPhone\n13912345678", ["Phone"]),
        ("Table 1\nRecipients\n13912345678", ["Recipients"]),
        ("Table 1,\nName,To\nLi,13912345678", ["Name", "To"]),
        ("13912345678,Li\n13912345679,Wu", ["A", "B"]),
        ("139,Anna\n13912345678,Bo", ["A", "B"]),
        ("1391234567O,Anna\n13912345678,Bo", ["A", "B"]),
        ("Li,li@example.com,12\nWu,wu@example.com,13912345678", ["A", "B", "C"]),
        ("\ufeff\ufeffName,Phone\nLi,13912345678", ["Name", "Phone"]),
        ("Name\u200b,Phone\nLi,13912345678", ["Name", "Phone"]),
        ("Name,name,Ｎａｍｅ,Phone\na,b,c,13912345678", ["Name", "name 2", "Ｎａｍｅ 3", "Phone"]),
    ],
)
def test_the_heading_is_the_first_row_as_wide_as_the_body(text: str, names: list[str]) -> None:
    assert columns_of(table(text)).names == names


def test_a_named_column_counts_even_if_each_of_its_cells_has_two_numbers() -> None:
    body = "13912345678/13800138000,Li\n13912345679 13800138001,Wu"
    assert number_column(f"Phone,Name\n{body}") == "Phone"
    assert columns_of(table(body)).number is None


def test_a_chosen_heading_row_is_used() -> None:
    rows = table("a,b\nPhone,Name\n13912345678,Li")
    assert columns_of(rows, heading_row=1).names == ["a", "b"]
    assert columns_of(rows, heading_row=0).names == ["A", "B"]


def test_a_hidden_column_is_taken_only_without_another() -> None:
    rows = table("Phone,Phone 2\n13912345678,13912345679")
    assert columns_of(rows, hidden=[0]).number == 1
    assert columns_of(rows, hidden=[0, 1]).number == 0


@given(st.text(max_size=30))
def test_folding_is_stable_and_ignores_what_nobody_sees(name: str) -> None:
    once = fold(name)
    assert fold(f"\ufeff{name}\u200b ") == once or not once
    assert isinstance(naming_of(name), Naming)
