"""Words for nothing, and numbers that a spreadsheet shortened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.batches.importing.empty_words import is_empty_word
from messaging.batches.importing.shortened import are_mostly_shortened, is_shortened
from messaging.models import StagedRow
from messaging.presentation.row_texts import problem_text
from tests.factories.batches import make_batch

NOTHING = [
    "NULL",
    "null",
    "(null)",
    "<NULL>",
    "nil",
    "None",
    "none",
    "NaN",
    "nan",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NV",
    "#N/D",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#NOM?",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
    "#WERT!",
    "#¡VALOR!",
    "#¿NOMBRE?",
    "#ЗНАЧ!",
    "#Н/Д",
    "Err:502",
    "#####",
    "undefined",
    "NaT",
    "<NA>",
    "\\N",
    "(blank)",
    "[object Object]",
]
SOMETHING = [
    "Nan",
    "Na",
    "Li",
    "Null-Müller",
    "#1",
    "#VIP",
    "0",
    "-",
    "None-Smith",
    "Nullarbor",
    "#12/3",
    "!",
]


@pytest.mark.parametrize(
    "word", ["", " ", "\u200b", '=""', *NOTHING, *(f" {w} " for w in NOTHING[:3])]
)
def test_words_for_nothing_are_empty(word: str) -> None:
    assert is_empty_word(word)


@pytest.mark.parametrize("word", SOMETHING)
def test_names_and_signs_are_values(word: str) -> None:
    assert not is_empty_word(word)


@pytest.mark.parametrize(
    "value",
    [
        "2.02611E+17",
        "1,39123E+10",
        "2.02611280000123e+17",
        "1.39E+10",
        "2E+17",
        "-1.5E+12",
        "1.5e17",
    ],
)
def test_scientific_notation_is_shortened(value: str) -> None:
    assert is_shortened(value)


@pytest.mark.parametrize("value", ["5E2", "1E", "E+17", "12.5", "2026E+", "1.5E+1a", ""])
def test_other_texts_are_not_shortened(value: str) -> None:
    assert not is_shortened(value)


@given(st.floats(1e15, 1e300))
def test_every_long_number_of_a_sheet_is_recognised(number: float) -> None:
    assert is_shortened(f"{number:.15g}")


def test_most_numbers_must_be_rounded() -> None:
    assert are_mostly_shortened(["13912300000", "13800100000", "13700100001"])
    assert not are_mostly_shortened(["13912300000"] * 5)
    assert not are_mostly_shortened(["13912300000", "13912345678"])


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["NULL", "nan", "#SPILL!", "#GETTING_DATA", "#NV", "#NOM?"])
def test_a_word_for_nothing_reaches_nobody(word: str) -> None:
    batch = make_batch(f"Name,Phone\n{word},13912345678\nLi,{word}\n".encode(), text="Hi {Name}")
    rows = list(StagedRow.objects.order_by("number").values_list("verdict", "problem"))
    assert rows == [("refused", "empty_place"), ("refused", "phone_empty")]
    first = StagedRow.objects.get(number=2)
    assert f"“{word}”" in problem_text(first, batch.account, whole=True)


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["2.02611E+17", '"1,39123E+10"'])
def test_a_shortened_value_is_refused_in_the_text_and_as_a_number(value: str) -> None:
    batch = make_batch(
        f"Phone,Order\n13912345678,{value}\n{value},1\n13912345679,17\n".encode(),
        text="Order {Order}",
    )
    rows = list(StagedRow.objects.order_by("number").values_list("verdict", "problem"))
    assert rows == [("refused", "shortened_place"), ("refused", "phone_shortened"), ("good", "")]
    words = problem_text(StagedRow.objects.get(number=2), batch.account, whole=True)
    assert value.strip('"') in words


@pytest.mark.django_db
def test_a_column_with_decimal_commas_is_recognised() -> None:
    make_batch(b"Name;Telefon\nLi;1,39123E+10\nWu;1,38001E+10")
    problems = set(StagedRow.objects.values_list("problem", flat=True))
    assert problems == {"phone_shortened"}


@pytest.mark.django_db
def test_a_column_that_was_saved_with_zeros_is_refused() -> None:
    batch = make_batch(b"Phone\n13912300000\n13800100000\n13700100000\n13912345678\n")
    assert (batch.good, batch.refused) == (1, 3)
    assert set(StagedRow.objects.values_list("problem", flat=True)) == {"phone_shortened", ""}
