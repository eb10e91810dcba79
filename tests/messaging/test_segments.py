"""Counting segments. The vectors are those of 3GPP TS 23.038 with a 6-byte header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import segments
from messaging.segments import BASIC, EXTENSION
from providers.gateway.vocabulary import Encoding

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SAMPLE = "[LIASMART] Your verification code is 112233, which is valid within 5 minutes."
"""From HAORUI's document, which sends it as Unicode."""

VECTORS = [
    ("", GSM7, 0, 0),
    ("a", GSM7, 1, 1),
    ("a" * 160, GSM7, 160, 1),
    ("a" * 161, GSM7, 161, 2),
    ("a" * 306, GSM7, 306, 2),
    ("a" * 307, GSM7, 307, 3),
    ("€" * 80, GSM7, 160, 1),
    ("a" * 159 + "€", GSM7, 161, 2),
    ("€" * 152, GSM7, 304, 2),
    ("€" * 153, GSM7, 306, 3),
    ("a" * 152 + "€" + "a" * 152, GSM7, 306, 3),
    ("验" * 70, UCS2, 70, 1),
    ("验" * 71, UCS2, 71, 2),
    ("验" * 134, UCS2, 134, 2),
    ("验" * 135, UCS2, 135, 3),
    ("😀" * 35, UCS2, 70, 1),
    ("😀" * 36, UCS2, 72, 2),
    ("😀" * 66, UCS2, 132, 2),
    ("😀" * 67, UCS2, 134, 3),
    ("验" * 66 + "😀" + "验" * 66, UCS2, 134, 3),
    (FAMILY, UCS2, 8, 1),
    (SAMPLE, GSM7, 79, 1),
]


@pytest.mark.parametrize(("text", "encoding", "units", "parts"), VECTORS)
def test_text_is_counted_by_the_standard(
    text: str, encoding: Encoding, units: int, parts: int
) -> None:
    counted = segments.count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, parts)


def test_sample_takes_two_segments_as_unicode() -> None:
    assert segments.count(SAMPLE + "\u200b").segments == 2


def test_basic_alphabet_has_127_characters_without_the_escape() -> None:
    assert len(BASIC) == 127


def test_extension_table_has_ten_characters() -> None:
    assert len(EXTENSION) == 10


@pytest.mark.parametrize(("alphabet", "septets"), [(BASIC - {"\r"}, 1), (EXTENSION, 2)])
def test_each_character_takes_its_septets(alphabet: frozenset[str], septets: int) -> None:
    counts = {character: segments.count(character) for character in alphabet}
    wrong = {c: n for c, n in counts.items() if (n.encoding, n.units) != (GSM7, septets)}
    assert wrong == {}


@pytest.mark.parametrize("character", ["ç", "`", "\t", "\u00a0", "’", "“", "–", "…", "，", "验"])
def test_character_outside_the_alphabet_forces_unicode(character: str) -> None:
    assert segments.count(character).encoding == UCS2


def test_capital_c_with_cedilla_is_gsm7() -> None:
    assert segments.count("Ç").encoding == GSM7


# --- line ends ---------------------------------------------------------------


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_every_line_end_counts_as_one_character(line_end: str) -> None:
    assert segments.count(f"a{line_end}b").units == 3


def test_line_ends_become_line_feeds() -> None:
    assert segments.normalise_line_ends("one\r\ntwo\rthree\n") == "one\ntwo\nthree\n"


# --- units left --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [("", 160), ("a" * 160, 0), ("a" * 161, 145), ("验", 69), ("验" * 71, 63), ("😀" * 34, 2)],
)
def test_units_left_in_the_last_segment_are_counted(text: str, left: int) -> None:
    assert segments.count(text).left == left


# --- the costly character ----------------------------------------------------


def test_first_costly_character_has_its_position() -> None:
    costly = segments.count("Don’t – now").costly
    assert costly is not None
    assert (costly.character, costly.position, costly.replacement) == ("’", 4, "'")


def test_gsm7_text_has_no_costly_character() -> None:
    assert segments.count("Don't {now} €").costly is None


def test_costly_character_may_have_no_replacement() -> None:
    costly = segments.count("验").costly
    assert costly is not None
    assert costly.replacement is None


def test_position_counts_characters_and_not_units() -> None:
    costly = segments.first_costly("€€ç")
    assert costly is not None
    assert costly.position == 3


def test_every_replacement_is_gsm7() -> None:
    assert all(segments.first_costly(plain) is None for plain in segments.PLAIN.values())


def test_replacement_makes_a_text_gsm7() -> None:
    assert segments.replace_costly("“Don’t” …") == '"Don\'t" ...'


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5′ 10″", "5' 10\""),
        ("1‒2―3", "1-2-3"),
        ("a\u2007b\u2003c\u00a0d\u3000e", "a b c d e"),
        ("ﬁne oﬀer", "fine offer"),
        ("ＡＢＣ１２３", "ABC123"),
        ("￥100 ￡5", "¥100 £5"),
        ("ｏｋ！？", "ok!?"),
        ("№ 5", "No 5"),
        ("a\u2028b", "a\nb"),
        ("ǆ", "ǆ"),
        ("m² ½ ① ™", "m² ½ ① ™"),
        ("验证码 😀", "验证码 😀"),
    ],
)
def test_character_with_a_plain_equivalent_is_replaced(text: str, plain: str) -> None:
    assert segments.replace_costly(text) == plain


def test_every_costly_character_is_named_once() -> None:
    found = segments.costly_characters("Don’t – don’t 😀")
    assert [(one.character, one.position) for one in found] == [("’", 4), ("–", 7), ("😀", 15)]


@given(st.text())
def test_replacement_is_gsm7_or_the_character_itself(text: str) -> None:
    for character in set(text) - segments.GSM7:
        plain = segments.plain_of(character)
        assert plain is None or segments.GSM7.issuperset(plain)
        assert segments.replace_costly(character) == (character if plain is None else plain)


def test_replacement_keeps_characters_without_an_equivalent() -> None:
    assert segments.replace_costly("验’") == "验'"


# --- too long ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "most", "surplus"),
    [
        ("a" * 160, 1, 0),
        ("a" * 161, 1, 1),
        ("a" * 310, 2, 4),
        ("验" * 75, 1, 5),
        ("€" * 81, 1, 1),
        ("a" * 161 + "\r\n", 1, 2),
    ],
)
def test_surplus_characters_are_counted(text: str, most: int, surplus: int) -> None:
    assert segments.surplus(text, most) == surplus


TEXTS = st.text(alphabet=st.sampled_from("a€\n验😀’[ç"), max_size=400)


@given(TEXTS, st.integers(1, 4))
def test_surplus_is_the_smallest_that_fits(text: str, most: int) -> None:
    surplus = segments.surplus(text, most)
    kept = len(text) - surplus
    assert segments.count(text[:kept]).segments <= most
    assert surplus == 0 or segments.count(text[: kept + 1]).segments > most


@given(TEXTS)
def test_every_segment_is_filled_as_far_as_possible(text: str) -> None:
    counted = segments.count(text)
    single, part = segments.LIMITS[counted.encoding]
    if counted.segments > 1:
        # A pair that must not be split costs at most one unit of each part.
        assert (counted.segments - 1) * (part - 1) < counted.units <= counted.segments * part
    else:
        assert counted.units <= single
