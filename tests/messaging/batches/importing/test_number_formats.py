"""Showing numbers of a sheet by their format codes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.batches.importing.number_formats import compile_format, general


def shown(code: str, value: float) -> str:
    format_ = compile_format(code)
    return general(value) if format_ is None else format_.show(value)


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("0%", 0.15, "15%"),
        ("0.0%", 0.1234, "12.3%"),
        ("0 %", 0.5, "50 %"),
        ("#,##0.00", 1234.5, "1,234.50"),
        ("#,##0", 1234567, "1,234,567"),
        ("#,##0", 5, "5"),
        ("000000", 42, "000042"),
        ("000000", 123456789, "123456789"),
        ("0000", -7, "-0007"),
        ('"No. "0', 7, "No. 7"),
        ('"A"000', 12, "A012"),
        ('0"kg"', 5, "5kg"),
        ("\\#0", 5, "#5"),
        ("0.00", 2.005, "2.01"),
        ("0.###", 1.5, "1.5"),
        ("#.0", 0.5, ".5"),
        ("#", 0, ""),
        ("0", -0.4, "0"),
        ("General", 42, "42"),
        ("@", 42, "42"),
        ('General"元"', 5.5, "5.5元"),
        ("[Red]General", 3, "3"),
        ("0.00;[Red]-0.00", -3.5, "-3.50"),
        ("#,##0_);(#,##0)", -1234, "(1,234)"),
        ("0;-0;;@", 0, ""),
        (";;;", 5, ""),
        ("[<100]0.0;0", 5.25, "5.3"),
        ("[<100]0.0;0", 500.25, "500"),
        ("[$¥-804]#,##0.00", 12, "¥12.00"),
        ("#,##0.00\\ [$€-407]", 1234.5, "1,234.50 €"),
        ("_-* #,##0.00_-;-* #,##0.00_-", 1234.5, "1,234.50"),
        ("0.0,", 1234567, "1234.6"),
        ('0,,"M"', 1234567, "1M"),
        ("# ?/?", 1.5, "1 1/2"),
        ("# ?/8", 0.25, "2/8"),
        ("000-0000-0000", 13912345678, "139-1234-5678"),
        ("(000) 000-0000", 5551234567, "(555) 123-4567"),
        ("0.00E+00", 13912345678, "13912345678"),
        ("0", 2e17, "2e+17"),
        ("yyyy-mm-dd", 46082, "2026-03-01"),
        ("yyyy/m/d", 46082, "2026/3/1"),
        ("dd.mm.yyyy hh:mm", 46082.4375, "01.03.2026 10:30"),
        ('yyyy"年"m"月"d"日"', 46082, "2026年3月1日"),
        ("mmm d, yyyy", 46082, "Mar 1, 2026"),
        ("[$-407]d. mmmm yyyy", 46082, "1. März 2026"),
        ("[$-804]yyyy年mmmm", 46082, "2026年三月"),
        ("aaaa", 46082, "星期日"),
        ("[$-F800]dddd, mmmm dd, yyyy", 46082, "2026-03-01"),
        ("h:mm AM/PM", 0.75, "6:00 PM"),
        ("hh:mm:ss", 0.9999999, "00:00:00"),
        ("[h]:mm:ss", 1.25, "30:00:00"),
        ("[mm]:ss", 0.05, "72:00"),
        ("mm:ss.0", 0.00068287, "00:59.0"),
        ("yyyy-mm-dd", -1, "-1"),
        ("yyyy-mm-dd", 1e9, "1000000000"),
    ],
)
def test_a_number_is_shown_as_the_sheet_shows_it(code: str, value: float, text: str) -> None:
    assert shown(code, float(value)) == text


@given(
    st.text(alphabet='0#?,.%;"\\_*[]$-E+/@ ymdhsAP:年G()<>=1', max_size=40),
    st.floats(allow_nan=False, allow_infinity=False),
)
@settings(deadline=None)
def test_any_format_shows_any_number(code: str, value: float) -> None:
    assert isinstance(shown(code, value), str)


@given(st.integers(0, 10**15 - 1), st.integers(1, 18))
def test_leading_zeros_change_no_digit(number: int, places: int) -> None:
    assert shown("0" * places, float(number)) == str(number).rjust(places, "0")


@given(st.integers(-(10**12), 10**12))
def test_groups_change_no_digit(number: int) -> None:
    assert shown("#,##0", float(number)) == f"{number:,}"


@given(st.decimals(0, 10**9, places=2))
def test_fixed_decimals_are_exact(number: Decimal) -> None:
    assert shown("0.00", float(number)) == f"{number:.2f}"
