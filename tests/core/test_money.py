"""Parsing of amounts that providers state."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CEILING, parse_amount


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (0, "0"),
        (-5, "-5"),
        (1000.5, "1000.5"),
        (Decimal("1000.50"), "1000.50"),
        ("0.50", "0.50"),
        ("-0.50", "-0.50"),
        ("1e3", "1000.0000"),
        (Decimal("1E+5"), "100000.0000"),
        (Decimal("-0.0"), "0.0"),
        (9_999_999_999, "9999999999"),
        ("9999999999.9999", "9999999999.9999"),
        (0.1 + 0.2, "0.3000"),
        ("1000.4999999999999", "1000.5000"),
        ("0.50000", "0.5000"),
        ("1.5e-3", "0.0015"),
    ],
)
def test_amount_keeps_its_stated_decimals(stated: object, expected: str) -> None:
    assert str(parse_amount(stated)) == expected


@pytest.mark.parametrize(
    "odd",
    [
        None,
        True,
        False,
        [],
        {},
        b"1",
        "",
        " 1",
        "1 ",
        "1_000",
        "1,000",
        "+1",
        ".5",
        "5.",
        "1\n",
        "１",
        "٣",
        "²",
        "NaN",
        "Infinity",
        "0x1f",
        "1e999",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        Decimal("sNaN"),
        10**10,
        -(10**10),
        10**4000,
        "9999999999.99999",
        "0.00005",
        "0.12345",
        Decimal("1E-9"),
        1e-9,
        0.00001,
        "1.00000001",
        Decimal("99.99995"),
    ],
    ids=lambda odd: repr(odd)[:20],
)
def test_invalid_amount_is_rejected(odd: object) -> None:
    with pytest.raises(ValueError):
        parse_amount(odd)


@given(st.decimals(-(10**9), 10**9, allow_nan=False))
def test_parsed_amount_is_exact(stated: Decimal) -> None:
    try:
        amount = parse_amount(stated)
    except ValueError:
        return
    assert abs(amount - stated) <= abs(amount) * Decimal("1e-14")


@given(
    st.one_of(
        st.decimals(), st.floats(), st.integers(), st.text(), st.booleans(), st.none(), st.binary()
    )
)
def test_parsed_amount_can_be_stored(stated: object) -> None:
    try:
        amount = parse_amount(stated)
    except ValueError:
        return
    assert abs(amount) < CEILING
    assert amount == amount.quantize(Decimal("0.0001"))
