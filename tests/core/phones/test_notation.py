"""Writings of phone numbers: each reads back as its own number or is refused, never as another."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.phones.parse import PhoneError, PhoneProblem, parse_number

P = PhoneProblem
CHINESE = "+8613912345678"
INDONESIAN = "+6281234567890"


@pytest.mark.parametrize(
    "typed",
    [
        # decimals of programs and spreadsheets
        "13912345678.0",
        "13912345678.00",
        "13912345678,0",
        "13912345678.",
        "+8613912345678.0",
        "１３９１２３４５６７８．０",
        "1.3912345678E+10",
        "13,912,345,678.00",
        "13.912.345.678,00",
        # thousands
        "13,912,345,678",
        "13.912.345.678",
        "13'912'345'678",
        "13 912 345 678",
        "+8,613,912,345,678",
        # exports
        '="13912345678"',
        '="+8613912345678"',
        '=""13912345678""',
        "=13912345678",
        "`13912345678`",
        "`13912345678",
        "'13912345678'",
        "’13912345678",
        '"13912345678"',
        "“13912345678”",
        "«13912345678»",
        "「13912345678」",
        "13912345678,",
        "13912345678;",
        "13912345678、",
        "13912345678，",
        "，13912345678；",
        "<13912345678>",
        # links
        "tel:+8613912345678",
        "TEL:13912345678",
        "tel: 139-1234-5678",
        "tel://+8613912345678",
        "tel:+86-139-1234-5678;phone-context=+86",
        "tel:13912345678;phone-context=+86",
        "tel:%2B8613912345678",
        "tel:+86%20139%201234%205678",
        "sms:+8613912345678?body=Hi%20there",
        "sms:13912345678;smsc=5",
        "smsto:13912345678",
        "callto:+8613912345678",
        "<tel:+8613912345678>",
        "https://wa.me/8613912345678",
        "wa.me/8613912345678?text=Hello",
        "https://api.whatsapp.com/send?phone=8613912345678&text=Hi",
        "whatsapp://send?text=Hi&phone=+8613912345678",
        # trunk zeros
        "+86(0)139 1234 5678",
        "+86 0139 1234 5678",
        "013912345678",
        "0 139 1234 5678",
        "0086 0139 1234 5678",
        "86 (0) 139 1234 5678",
        "086-13912345678",
        # invisible characters
        "13912345678\ufe0f",
        "1\ufe0f\u20e33\ufe0f\u20e39\ufe0f\u20e312345678",
        "\u316413912345678\u3164",
        "13912345678\u2800",
        "139\u00ad1234\u00ad5678",
        "\u200e+86\u200f 139\u200b1234\u20605678\ufeff",
        "\u2066139 1234 5678\u2069",
        "\u202d13912345678\u202c",
        "139\u180e12345678\uffa0",
        # other scripts, hyphens and blanks
        "١٣٩١٢٣٤٥٦٧٨",
        "۱۳۹۱۲۳۴۵۶۷۸",
        "१३९१२३४५६७८",
        "๑๓๙๑๒๓๔๕๖๗๘",
        "٠٠٨٦١٣٩١٢٣٤٥٦٧٨",
        "139‐1234‑5678",
        "139‒1234―5678",
        "139−1234﹣5678",
        "139ー1234ー5678",
        "139・1234・5678",
        "139\u20071234\u202f5678",
        "139\u30001234\u30005678",
        "﹢86 139 1234 5678",
        "【13912345678】",
    ],
)
def test_chinese_number_is_read_in_any_writing(typed: str) -> None:
    assert parse_number(typed).e164 == CHINESE


@pytest.mark.parametrize(
    ("typed", "home", "e164"),
    [
        # decimals
        ("+6281234567890.0", "CN", INDONESIAN),
        ("81234567890.0", "ID", INDONESIAN),
        ("081234567890.00", "ID", INDONESIAN),
        ("6281234567890,0", "ID", INDONESIAN),
        ("+393456789012.0", "CN", "+393456789012"),
        ("+85261234567.0", "CN", "+85261234567"),
        ("6.281234567890E+12", "ID", INDONESIAN),
        # points and commas that separate groups
        ("06.12.34.56.00", "FR", "+33612345600"),
        ("+33.6.12.34.56.00", "CN", "+33612345600"),
        ("+1.6502530000", "CN", "+16502530000"),
        ("139.1234.0000", "CN", "+8613912340000"),
        ("(650) 253.0001", "US", "+16502530001"),
        # trunk zeros
        ("+44 (0)20 7946 0958", "CN", "+442079460958"),
        ("+62 (0)812 3456 7890", "CN", INDONESIAN),
        ("+886 (0)912 345 678", "CN", "+886912345678"),
        ("+39 (0)339 123 4567", "CN", "+393391234567"),
        ("+39 (0)2 1234 5678", "CN", "+390212345678"),
        ("+65 (0)6123 4567", "CN", "+6561234567"),
        ("+852 (0)5123 4567", "CN", "+85251234567"),
        ("+34 0 612 345 678", "CN", "+34612345678"),
        ("+7 8 912 345 67 89", "CN", "+79123456789"),
        ("+36 06 20 123 4567", "CN", "+36201234567"),
        ("+225 01 23 45 67 89", "CN", "+2250123456789"),
        # Mexico
        ("+52 1 55 1234 5678", "CN", "+525512345678"),
        ("+5215512345678", "CN", "+525512345678"),
        ("+52 044 55 1234 5678", "CN", "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("1 55 1234 5678", "MX", "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        # Argentina
        ("+54 9 11 1234 5678", "CN", "+5491112345678"),
        ("+54 11 15 1234 5678", "CN", "+5491112345678"),
        ("+54 9 11 15 1234 5678", "CN", "+5491112345678"),
        ("011 15 1234-5678", "AR", "+5491112345678"),
        ("0 9 11 1234 5678", "AR", "+5491112345678"),
        # a 1 in front, in North America
        ("1 (305) 555-1234", "US", "+13055551234"),
        ("1-310-555-1234", "CA", "+13105551234"),
        ("13055551234", "US", "+13055551234"),
        # links with a country's own writing
        ("tel:0812-3456-7890;phone-context=+62", "CN", INDONESIAN),
        ("https://wa.me/6281234567890", "CN", INDONESIAN),
    ],
)
def test_number_of_another_country_is_read_in_its_writings(
    typed: str, home: str, e164: str
) -> None:
    assert parse_number(typed, home).e164 == e164


@pytest.mark.parametrize(
    ("typed", "home", "kind"),
    [
        ("1391234567.0", "CN", P.DIGITS),
        ("1391234567,00", "CN", P.DIGITS),
        ("13912345678.5", "CN", P.DECIMAL),
        ("8123456789.5", "ID", P.DECIMAL),
        ("1391234.0000", "CN", P.DECIMAL),
        ("+62 812 3456.000", "CN", P.DECIMAL),
        ("139-1234-5678.0", "CN", P.DECIMAL),
        ("81.234.567.890.0", "ID", P.DECIMAL),
        ("81,234,567,890,0", "ID", P.CHARACTER),
        ("139,1234,5678", "CN", P.CHARACTER),
        ("1.39123E+10", "CN", P.SHORTENED),
        ("1,39123E+10", "CN", P.SHORTENED),
        ("+6.28E+12", "CN", P.SHORTENED),
        ("1.39123456785E+10", "CN", P.DECIMAL),
        ("1 (305) 555-1234", "CN", P.NORTH_AMERICA),
        ("1(305)5551234", "CN", P.NORTH_AMERICA),
        ("(1) 310 555 1234", "CN", P.NORTH_AMERICA),
        ("(1305) 555-1234", "CN", P.NORTH_AMERICA),
        ("1-310-555-1234", "CN", P.NORTH_AMERICA),
        ("1.310.555.1234", "CN", P.NORTH_AMERICA),
        ("1 310 5551234", "CN", P.NORTH_AMERICA),
        ("1-3105551234", "CN", P.NORTH_AMERICA),
        ("１（３１０）５５５－１２３４", "CN", P.NORTH_AMERICA),
        ("1 (305) 555-1234", "ID", P.NORTH_AMERICA),
        ("6281234567890", "CN", P.NO_PLUS),
        ("62 812-3456-7890", "CN", P.NO_PLUS),
        ("85261234567", "CN", P.NO_PLUS),
        ("447400123456", "CN", P.NO_PLUS),
        ("8613912345678", "ID", P.NO_PLUS),
        ("13055550123", "ID", P.NO_PLUS),
        ("62812345678", "ID", P.HOME_CODE),
        ("4915123456789", "DE", P.HOME_CODE),
        ("49 1512 3456789", "DE", P.HOME_CODE),
        ("15 1234 5678", "AR", P.TOO_SHORT),
        ("tel:13912345678;ext=5", "CN", P.EXTENSION),
        ("tel:13912345678;13900000000", "CN", P.TWO_NUMBERS),
        ("sms:+8613912345678,+8613900000000", "CN", P.TWO_NUMBERS),
        ("tel:", "CN", P.EMPTY),
        ('=""', "CN", P.EMPTY),
        ("mailto:a@b.example", "CN", P.LETTER),
        ("139****5678", "CN", P.CHARACTER),
        ("139 1234 5678 ext 9", "CN", P.LETTER),
        ("139 1234 5678#9", "CN", P.CHARACTER),
    ],
)
def test_ambiguous_or_foreign_writing_is_refused_with_its_reason(
    typed: str, home: str, kind: PhoneProblem
) -> None:
    with pytest.raises(PhoneError) as refused:
        parse_number(typed, home)
    assert refused.value.kind == kind


@pytest.mark.parametrize(
    ("typed", "country"),
    [("6281234567890", "ID"), ("447400123456", "GB"), ("5215512345678", "MX")],
)
def test_missing_plus_names_the_country(typed: str, country: str) -> None:
    with pytest.raises(PhoneError) as refused:
        parse_number(typed)
    assert (refused.value.kind, refused.value.country) == (P.NO_PLUS, country)


def test_position_counts_in_the_text_as_typed() -> None:
    for typed, position in (('="139x2345678"', 6), ("\u200b139x", 5), ("tel:139x", 8)):
        with pytest.raises(PhoneError) as refused:
            parse_number(typed)
        assert (refused.value.kind, refused.value.position) == (P.LETTER, position)


# --- any number, any writing ------------------------------------------------------


def _mobile(region: str) -> phonenumbers.PhoneNumber:
    found = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert found is not None
    return found


REGIONS = ("US", "GB", "FR", "DE", "IT", "ID", "TH", "IN", "JP", "TW", "HK", "SG", "RU", "BR", "VN")
FOREIGN = st.builds(
    lambda region, tail: _with_tail(_mobile(region), tail),
    st.sampled_from(REGIONS),
    st.from_regex(r"[0-9]{4}|[0-9]00|0000", fullmatch=True),
)
HOME = st.from_regex(r"1[3-9][0-9]{9}|1[3-9][0-9]{6}000", fullmatch=True).map("+86{}".format)


def _with_tail(number: phonenumbers.PhoneNumber, tail: str) -> str:
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164[: -len(tail)] + tail


def _split(e164: str) -> tuple[str, str]:
    parsed = phonenumbers.parse(e164)
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)


@st.composite
def writings(draw: st.DrawFn) -> tuple[str, str]:
    """A number and one of its writings."""
    e164 = draw(HOME | FOREIGN)
    code, national = _split(e164)
    cuts = draw(st.sets(st.integers(1, len(national) - 1), max_size=4))
    groups = [
        national[start:end]
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(national)], strict=True)
    ]
    written = draw(st.sampled_from([" ", "-", ".", "‑", "\u00a0", ") ", " - ", ""])).join(groups)
    start = draw(st.sampled_from(["+{} ", "+{}", "00{} ", "(+{}) ", "+{}-", "+{}.", "＋{} "]))
    written = start.format(code) + written
    if draw(st.booleans()):
        zero = draw(st.sampled_from("0٠०０๐"))
        written = "".join(chr(ord(zero) + int(c)) if c in "0123456789" else c for c in written)
    written += draw(st.sampled_from(["", "", ".0", ".00", ",0", ".000"]))
    around = draw(st.sampled_from(["{}", "'{}", '="{}"', "“{}”", "{},", "tel:{}", " {}\n", "`{}`"]))
    at = draw(st.integers(0, len(written)))
    invisible = draw(st.sampled_from(["", "\u200b", "\ufe0f", "\u3164", "\u00ad", "\u2066"]))
    return e164, around.format(written[:at] + invisible + written[at:])


@given(writings(), st.sampled_from(["CN", "ID", "US", "MX"]))
def test_any_writing_reads_back_as_itself_or_is_refused(
    written: tuple[str, str], home: str
) -> None:
    e164, typed = written
    try:
        number = parse_number(typed, home)
    except PhoneError:
        return
    assert number.e164 == e164


@given(HOME, st.sampled_from(["{}.0", "{}.00", "{},0", "{}.", '="{}"', "'{}'", "{},", "tel:{}"]))
def test_writing_of_an_export_is_read_with_and_without_country_code(e164: str, form: str) -> None:
    for plain in (e164, e164[1:], e164[3:]):
        assert parse_number(form.format(plain)).e164 == e164


@given(HOME)
def test_no_cut_number_becomes_another_by_its_decimals(e164: str) -> None:
    for decimals in (".0", ".00", ",0", ".000"):
        with pytest.raises(PhoneError):
            parse_number(e164[3:-1] + decimals)


@given(HOME)
def test_separate_leading_one_is_no_chinese_writing(e164: str) -> None:
    digits = e164[3:]
    area, rest = digits[1:4], f"{digits[4:7]}-{digits[7:]}"
    for typed in (f"1 ({area}) {rest}", f"1-{area}-{rest}", f"1.{area}.{digits[4:]}"):
        with pytest.raises(PhoneError) as refused:
            parse_number(typed)
        assert refused.value.kind == P.NORTH_AMERICA


@pytest.mark.parametrize(
    "typed",
    [
        "+1 650 155 5555.0",
        "+492.000",
        "+1 650 155 5555,00",
        "+812 1234567 .0",
        # Without the last zeros it is another number of Indonesia.
        "+62 8.123400.00.00",
    ],
)
def test_zeros_behind_a_point_are_uncertain_in_a_number_of_no_known_range(typed: str) -> None:
    with pytest.raises(PhoneError) as failure:
        parse_number(typed)
    assert failure.value.kind == PhoneProblem.DECIMAL
