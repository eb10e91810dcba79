"""Words of providers are read by table, blind to case, width and surrounding blanks."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gateway.words import (
    VERDICTS,
    flag_of,
    is_id,
    is_no_id,
    is_nothing,
    is_placeholder,
    look_up,
    number_text,
    table,
    verdict_of,
    word_of,
)

PAIRS = [
    ("S", "F"),
    ("SUCCESS", "FAILED"),
    ("success", "error"),
    ("Succeeded", "Failure"),
    ("成功", "失败"),
    ("成功", "失敗"),
    ("True", "False"),
    (True, False),
]
NUMBERS = [(1, 0), ("1", "0"), ("1.0", "0.0"), (Decimal("1.0"), Decimal("0.0"))]


@pytest.mark.parametrize(("yes", "no"), PAIRS)
def test_both_words_of_a_pair_are_known(yes: object, no: object) -> None:
    assert (verdict_of(yes), verdict_of(no)) == (True, False)


@pytest.mark.parametrize(("yes", "no"), NUMBERS)
def test_numbers_answer_whether_something_is_so_but_not_whether_it_succeeded(
    yes: object, no: object
) -> None:
    assert (flag_of(yes), flag_of(no)) == (True, False)
    assert (verdict_of(yes), verdict_of(no)) == (None, None)


@pytest.mark.parametrize("text", ["26471304", "a42739630dbe4daa8d4f5f6a530a35bc", "a-b_c:1/2"])
def test_id_is_told_from_words(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "0", "null", "ok", "Success", "成功", "余额不足", "no money"])
def test_words_in_place_of_an_id_are_none(text: str) -> None:
    assert not is_id(text)


blanks = st.text(" \t\r\n\u00a0\u3000\u200b\ufeff\u2060", max_size=4)


@given(st.sampled_from(sorted(VERDICTS)), blanks, blanks, st.randoms())
def test_case_width_and_blanks_do_not_matter(
    word: str, before: str, after: str, chance: Random
) -> None:
    written = "".join(chance.choice((one, one.upper(), _wide(one))) for one in word)
    assert verdict_of(before + written + after) is VERDICTS[word]


def _wide(one: str) -> str:
    return chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one


@given(st.text(max_size=20))
def test_unknown_word_means_nothing(word: str) -> None:
    assert verdict_of(f"x{word}") is None or word_of(f"x{word}") in VERDICTS


@pytest.mark.parametrize(
    "odd", [None, "", " ", "yes?", 2, -1, [], {}, ["S"], "s" * 1000, "SS", "not S", 1.5]
)
def test_anything_else_is_neither_yes_nor_no(odd: object) -> None:
    assert verdict_of(odd) is None


def test_table_finds_our_term_by_each_word() -> None:
    known = table({1: "one|Eins", 2: "two"})
    assert [look_up(known, word) for word in ("ONE", "eins ", "two", "three", "")] == [
        1,
        1,
        2,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("26471304.0", "26471304"),
        ("2.6471304E7", "26471304"),
        ("1E+2", "100"),
        ("0.50", "0.50"),
        ("-3.0", "-3"),
        ("NaN", ""),
        ("1E+99", ""),
        ("1E-99", ""),
    ],
)
def test_number_is_written_without_exponent(number: str, text: str) -> None:
    assert number_text(Decimal(number)) == text


PLACEHOLDERS: list[object] = [
    None,
    0,
    0.0,
    False,
    True,
    Decimal("0.0"),
    "",
    " ",
    "\u200b",
    "0",
    "00",
    "000",
    "0.0",
    "null",
    "NULL",
    "None",
    "nil",
    "-",
    "--",
    "—",
    "N/A",
    "n/a ",
    "Pending",
    "ＰＥＮＤＩＮＧ",
    "waiting",
    "undefined",
    "NaN",
    "无",
    "等待接收短信",
    [],
    {},
]


@pytest.mark.parametrize("value", PLACEHOLDERS, ids=repr)
def test_placeholder_stands_for_none(value: object) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "code", ["0000", "00000", "000000", "0123", "123456", 123456, "A0", "NONE42", "nullify", 1, "1"]
)
def test_real_code_is_no_placeholder(code: object) -> None:
    assert not is_placeholder(code)


@pytest.mark.parametrize("value", [None, "", 0, {}, [], False, "null", " None ", "无", "{}"])
def test_empty_value_states_nothing(value: object) -> None:
    assert is_nothing(value)


@pytest.mark.parametrize("value", ["-", "pending", "0000", "余额不足", ["x"], {"a": 1}, True, 1])
def test_other_value_states_something(value: object) -> None:
    assert not is_nothing(value)


@pytest.mark.parametrize("text", ["", "0", "0000", "000000000", "null", "-", "N/A", "undefined"])
def test_placeholder_of_an_id_is_no_id(text: str) -> None:
    assert is_no_id(text)


@pytest.mark.parametrize("text", ["1", "26471304", "a42739630dbe4daa8d4f5f6a530a35bc", "0x1f"])
def test_id_is_no_placeholder(text: str) -> None:
    assert not is_no_id(text)
