"""Phone numbers: notations, rejections with reasons, formatting and masking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.phones.parse import (
    PhoneError,
    PhoneProblem,
    grouped,
    mask,
    parse_number,
    parse_with_country_code,
    search_key,
)

P = PhoneProblem


@pytest.mark.parametrize(
    "typed",
    [
        "13912345678",
        "139 1234 5678",
        "139-1234-5678",
        "139.1234.5678",
        "(139) 1234 5678",
        "139–1234—5678",
        "+8613912345678",
        "+86 139-1234-5678",
        "(+86) 139 1234 5678",
        "＋８６　１３９　１２３４　５６７８",
        "１３９１２３４５６７８",
        "8613912345678",
        "86 139 1234 5678",
        "008613912345678",
        "0086-139-1234-5678",
        "\u00a013912345678\u00a0",
        "\u200b139\u200d1234\u20605678\ufeff",
        "\u202a+86 139 1234 5678\u202c",
        "\t13912345678\r\n",
        "'13912345678",
    ],
)
def test_chinese_number_is_parsed_in_every_notation(typed: str) -> None:
    number = parse_number(typed)
    assert number.e164 == "+8613912345678"
    assert (number.country, number.calling_code, number.significant) == ("CN", "86", "13912345678")
    assert not number.unusual
    assert search_key(typed) == "+8613912345678"


@pytest.mark.parametrize(
    ("typed", "kind", "position", "digits"),
    [
        ("", P.EMPTY, None, None),
        ("   ", P.EMPTY, None, None),
        ("+", P.EMPTY, None, None),
        ("()-", P.EMPTY, None, None),
        ("1391234567", P.DIGITS, None, 10),
        ("139123456789", P.DIGITS, None, 12),
        ("+86 1391234567", P.DIGITS, None, 10),
        ("86139123456", P.NOT_MOBILE, None, 11),
        ("12012345678", P.NOT_MOBILE, None, 11),
        ("10012345678", P.NOT_MOBILE, None, 11),
        ("11012345678", P.NOT_MOBILE, None, 11),
        ("01012345678", P.NOT_MOBILE, None, 11),
        ("106901234567", P.SERVICE, None, 12),
        ("+86 1069012345678", P.SERVICE, None, 13),
        ("10086", P.SERVICE, None, 5),
        ("95588", P.SERVICE, None, 5),
        ("139a2345678", P.LETTER, 4, None),
        ("  139O2345678", P.LETTER, 6, None),
        ("13912345678;rm", P.CHARACTER, 12, None),
        ("139/12345678", P.CHARACTER, 4, None),
        ("139+12345678", P.CHARACTER, 4, None),
        ("139²2345678", P.CHARACTER, 4, None),
        ("①3912345678", P.CHARACTER, 1, None),
        ("139\x0012345678", P.CHARACTER, 4, None),
        ("1391234567٨", P.FOREIGN_DIGITS, 11, None),
        ("١٣٩۱٢٣٤٥٦٧٨", P.FOREIGN_DIGITS, 1, None),
        ("\u202e13912345678", P.CHARACTER, 1, None),
        ("139१2345678", P.FOREIGN_DIGITS, 4, None),
        ("13912345678,13900000000", P.TWO_NUMBERS, None, None),
        ("13912345678、13900000000", P.TWO_NUMBERS, None, None),
        ("13912345678 13900000000", P.TWO_NUMBERS, None, None),
        ("13912345678\n13900000000", P.TWO_NUMBERS, None, None),
        ("+8613912345678+8613900000000", P.TWO_NUMBERS, None, None),
        ("1.39123E+10", P.SHORTENED, None, None),
        ("1.39E10", P.SHORTENED, None, None),
        ("1" * 101, P.TOO_LONG, None, None),
        ("+999 123456", P.UNKNOWN_COUNTRY, None, None),
        ("+800 1234 5678", P.UNKNOWN_COUNTRY, None, None),
        ("+0086 13912345678", P.UNKNOWN_COUNTRY, None, None),
        ("+13912345678", P.NO_AREA, None, None),
        ("+1 391 234 5678", P.NO_AREA, None, None),
        ("0013912345678", P.NO_AREA, None, None),
        ("+13812345678", P.NO_AREA, None, None),
        ("+13712345678", P.NO_AREA, None, None),
        ("+1 (555) 555-5555", P.NO_AREA, None, None),
        ("+1 911 555 0123", P.NO_AREA, None, None),
        ("+1 123 456 7890", P.NO_AREA, None, None),
        ("+62", P.TOO_SHORT, None, None),
        ("+62 12", P.TOO_SHORT, None, 2),
        ("+65 6123 45678 9012 345", P.TOO_LONG, None, 16),
        ("+62 1234567890123456", P.TOO_LONG, None, 16),
    ],
)
def test_invalid_number_is_rejected_with_a_reason(
    typed: str, kind: PhoneProblem, position: int | None, digits: int | None
) -> None:
    with pytest.raises(PhoneError) as failure:
        parse_number(typed)
    error = failure.value
    assert (error.kind, error.position, error.digits) == (kind, position, digits)
    assert error.typed == typed
    assert error.expected == (11 if kind in (P.DIGITS, P.NOT_MOBILE) else None)
    assert not any(character in str(error) for character in "0123456789")


@pytest.mark.parametrize(
    ("typed", "home", "e164", "country"),
    [
        ("+62 812-3456-7890", "CN", "+6281234567890", "ID"),
        ("006281234567890", "CN", "+6281234567890", "ID"),
        ("0812 3456 7890", "ID", "+6281234567890", "ID"),
        ("6281234567890", "ID", "+6281234567890", "ID"),
        ("+44 (0)20 7946 0958", "CN", "+442079460958", "GB"),
        ("+1 (650) 253-0000", "CN", "+16502530000", "US"),
        ("+1 416 555 0123", "CN", "+14165550123", "CA"),
        ("+39 02 1234 5678", "CN", "+390212345678", "IT"),
        ("+852 5123 4567", "CN", "+85251234567", "HK"),
        ("+886 912 345 678", "CN", "+886912345678", "TW"),
        ("+853 6612 3456", "CN", "+85366123456", "MO"),
        ("13912345678", "CN", "+8613912345678", "CN"),
        ("+86 139 1234 5678", "ID", "+8613912345678", "CN"),
    ],
)
def test_foreign_numbers_are_parsed(typed: str, home: str, e164: str, country: str) -> None:
    number = parse_number(typed, home)
    assert (number.e164, number.country) == (e164, country)


def test_number_in_an_unknown_range_is_unusual_but_valid() -> None:
    assert parse_number("+1 650 155 5555").unusual
    assert parse_number("14012345678").unusual
    assert not parse_number("19912345678").unusual


@pytest.mark.parametrize(
    ("e164", "international", "national", "masked"),
    [
        ("+8613912345678", "+86 139 1234 5678", "139 1234 5678", "+86 139 •••• 5678"),
        ("+6281234567890", "+62 812 3456 7890", "0812-3456-7890", "+62 812 •••• 7890"),
        ("+16502530000", "+1 650 253 0000", "(650) 253-0000", "+1 650 ••• 0000"),
        ("+6561234567", "+65 6123 4567", "6123 4567", "+65 •••• 4567"),
        ("+33612345678", "+33 6 12 34 56 78", "06 12 34 56 78", "+33 6 •••• 5678"),
        ("+390212345678", "+39 02 1234 5678", "02 1234 5678", "+39 02 •••• 5678"),
    ],
)
def test_number_is_formatted_grouped_and_masked(
    e164: str, international: str, national: str, masked: str
) -> None:
    number = parse_number(e164)
    assert number.international == international
    assert number.national == national
    assert number.masked == mask(e164) == masked
    assert grouped(e164) == international
    assert parse_number(international) == number


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("139 1234 5678", "+8613912345678"),
        ("6281234567890", "+6281234567890"),
        ("62 812-3456-7890", "+6281234567890"),
        ("1391234", None),
        ("5678", None),
        ("m-4f1d2c", None),
        ("", None),
        ("13912345678 13900000000", None),
        ("x" * 10_000, None),
    ],
)
def test_search_recognises_complete_numbers_only(typed: str, key: str | None) -> None:
    assert search_key(typed) == key


def test_other_text_is_masked_too() -> None:
    assert mask("") == ""
    assert mask("12345") == "•••••"
    assert mask("secret") == "••••et"
    assert mask("x" * 500) == "•" * 12 + "xx"
    assert grouped("secret") == "secret"


@pytest.mark.parametrize(
    ("text", "region", "shown"),
    [
        ("13055550123", "US", "+1 305 555 0123"),
        ("+13055550123", "CN", "+1 305 555 0123"),
        ("6281234567890", "ID", "+62 812 3456 7890"),
        ("081234567890", "ID", "+62 812 3456 7890"),
        ("8613912345678", "ID", "+86 139 1234 5678"),
        ("6281234567890", "", "+62 812 3456 7890"),
        ("6281234567890", "all", "+62 812 3456 7890"),
        ("13912345678", "", "13912345678"),
    ],
)
def test_stored_number_is_shown_by_its_own_region(text: str, region: str, shown: str) -> None:
    assert grouped(text, region) == shown
    assert mask(text, region)[-4:] == shown.replace(" ", "")[-4:] or "+" not in shown


@given(st.text() | st.text("0123456789+-() ，,'．０９", max_size=24))
def test_any_text_is_parsed_or_rejected(typed: str) -> None:
    mask(typed)
    grouped(typed)
    try:
        number = parse_number(typed)
    except PhoneError:
        return
    assert number.e164.isascii()
    assert 8 <= len(number.e164) <= 16
    assert parse_number(number.e164) == number
    assert number.masked != number.international


@pytest.mark.parametrize("typed", ["+430000", "+43 1234", "+49 115"])
def test_number_too_short_for_any_mobile_network_is_refused(typed: str) -> None:
    with pytest.raises(PhoneError) as raised:
        parse_number(typed)
    assert raised.value.kind == PhoneProblem.TOO_SHORT


def test_shortest_mobile_numbers_are_read() -> None:
    assert parse_number("+683 4002").e164 == "+6834002"
    assert parse_number("+690 7290").e164 == "+6907290"


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_every_chinese_mobile_number_is_valid_and_masks_four_digits(digits: str) -> None:
    number = parse_number(digits)
    assert number.significant == digits
    assert number.masked.count("•") == 4
    assert number.masked.endswith(digits[-4:])


def test_number_with_its_country_code_but_no_plus_is_read_on_request() -> None:
    for typed in ("6281234567890", "62 812-3456-7890", "+6281234567890", "006281234567890"):
        assert parse_with_country_code(typed).e164 == "+6281234567890"
    with pytest.raises(PhoneError):
        parse_with_country_code("0812 3456 7890")
