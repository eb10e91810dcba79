"""Characters that show nothing: dropped, but kept where a script or an emoji needs them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text_cleaning import clean_text, clean_value, shows_nothing

FAMILY = "\U0001f468\u200d\U0001f469\U0001f3fd\u200d\U0001f467"
HEART_ON_FIRE = "\u2764\ufe0f\u200d\U0001f525"
FLAG_OF_SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u202e"
    "\u2060\u2061\u2066\u2069\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\ufff9\U000e0001\U000e0041"
    "\U000e0100"
)


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda sign: f"{ord(sign):04x}")
def test_invisible_character_is_dropped_from_a_plain_text(character: str) -> None:
    assert clean_text(f"{character}Li{character}, hi{character}") == "Li, hi"
    assert clean_value(f" {character}Li{character} ") == "Li"


@pytest.mark.parametrize(
    "text",
    [
        FAMILY,
        HEART_ON_FIRE,
        FLAG_OF_SCOTLAND,
        "1\ufe0f\u20e3 #\ufe0f\u20e3",
        "\u2600\ufe0f \u2122\ufe0e",
        "می\u200cخواهم",
        "क्\u200dष क्\u200cष",
        "ශ්\u200dරී",
        "ᠠ\u180b",
        "\u8fba\U000e0101",
        "\u200fשלום 5\u200e\u202b(abc)\u202c",
        "\u061c٣ كغ",
        "\u2801\u2800\u2803",
        "line\nline\ttab",
        "Ａ ﬁ ′ ￥",
        "\u0958",
    ],
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Rene\u0301", "René"),
        ("Re\u200bne\u200b\u0301", "René"),
        ("Prénom", "Prénom"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\u212b\u2126", "\u00c5\u03a9"),
        ("x\u0302", "x\u0302"),
        ("Li\u2800Wei", "Li Wei"),
        ("a\U0001f468\u200d", "a\U0001f468"),
        ("a\u200db", "ab"),
    ],
)
def test_letters_are_composed_and_lone_joiners_dropped(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("  Li \r\n Wei\t", "Li Wei"),
        ("\x00Li\x7f\x85Wei\u2028", "Li Wei"),
        ("\ufeff\ufeffName", "Name"),
        ("Li\u200b", "Li"),
        ("\u200b \u3164", ""),
        ("李\u3000明", "李 明"),
    ],
)
def test_cell_becomes_one_visible_line(cell: str, value: str) -> None:
    assert clean_value(cell) == value


@pytest.mark.parametrize(
    "text",
    ["", " \n", "\u200b", "\u200b\u200d\ufe0f", "\u2800", "\u3164\uffa0", "\u202a\u202c", "\u2028"],
)
def test_text_without_visible_character_shows_nothing(text: str) -> None:
    assert shows_nothing(text)


@pytest.mark.parametrize("text", ["a", ".", "\u0301", "验", "\u2801", FAMILY])
def test_visible_text_shows_something(text: str) -> None:
    assert not shows_nothing(text)


SIGNS = (
    st.text(
        st.sampled_from(
            f"{INVISIBLE}\u2800\u2801\u0301\u20e3aé1#李م\u0915\u094d\u1820\U0001f468\u2764"
        )
    )
    | st.text()
)


@given(SIGNS)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert clean_value(clean_value(text)) == clean_value(text)
    assert shows_nothing(text) == shows_nothing(cleaned)


@given(SIGNS)
def test_cleaning_loses_no_visible_character(text: str) -> None:
    def visible(shown: str) -> str:
        decomposed = unicodedata.normalize("NFD", shown)
        return "".join(sorted(c for c in decomposed if not shows_nothing(c)))

    assert visible(clean_text(text)) == visible(text)
    assert len(clean_text(text)) <= len(text)
