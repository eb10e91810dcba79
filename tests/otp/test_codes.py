"""The portal's own codes: creation, digests, matching and normalisation."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from otp import codes
from otp.codes import PROVIDER_LENGTHS, NotACode, read_code

KEYS = [
    "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "YW5vdGhlci1rZXktZm9yLXRlc3RzLW9ubHktMTIzNDU=",
]


@pytest.mark.parametrize("length", [6, 7, 8])
def test_code_has_the_requested_number_of_digits(length: int) -> None:
    made = {codes.make(length) for _ in range(50)}
    assert all(len(code) == length and code.isascii() and code.isdigit() for code in made)
    assert len(made) > 40


@pytest.mark.parametrize("length", [0, 4, 5, 9])
def test_lengths_outside_six_to_eight_digits_are_rejected(length: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        codes.make(length)


def test_digests_reveal_neither_codes_nor_equal_codes() -> None:
    digest = codes.digest("a", 1, "482913")
    assert "482913" not in digest
    assert digest != codes.digest("b", 1, "482913")
    assert digest != codes.digest("a", 2, "482913")


def test_digest_matches_only_its_code_session_and_serial() -> None:
    digest = codes.digest("a", 1, "482913")
    assert codes.matches(digest, "a", 1, "482913")
    assert not codes.matches(digest, "a", 1, "482914")
    assert not codes.matches(digest, "b", 1, "482913")
    assert not codes.matches(digest, "a", 2, "482913")


def test_empty_digest_matches_nothing() -> None:
    assert not codes.matches("", "a", 1, "")


def test_pending_code_can_be_checked_during_key_rotation() -> None:
    with override_settings(SECRETS_KEYS=KEYS[:1]):
        digest = codes.digest("a", 1, "482913")
    with override_settings(SECRETS_KEYS=KEYS[::-1]):
        assert codes.matches(digest, "a", 1, "482913")
        assert codes.digest("a", 1, "482913") != digest
    with override_settings(SECRETS_KEYS=KEYS[1:]):
        assert not codes.matches(digest, "a", 1, "482913")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("482 913", "482913"),
        ("４８２－９１３", "482913"),
        ("4-8.2 9,1;3", "482913"),
        ("aB3", "aB3"),
        ("\u200b482\u00a0913\n", "482913"),
        ("- -", ""),
        ("1" * 500, "1" * codes.LONGEST_READ),
    ],
)
def test_normalize_removes_separators_and_limits_length(typed: str, expected: str) -> None:
    assert codes.normalize(typed) == expected


# --- what customers read out ----------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "012345",
        "٠١٢٣٤٥",
        "۰۱۲۳۴۵",
        "०१२३४५",
        "๐๑๒๓๔๕",
        "０１２３４５",
        "012 345",
        "0-1-2-3-4-5",
        "01.23.45",
        "012\u2009345\u200b",
        "Your code is 012345",
        "Your code is 012345.",
        "Your code is 012 345, valid for 10 minutes",
        "【商户】您的验证码是012345，5分钟内有效。",
        "G-012345",
        "code:012345",
        "<#> 012345 is your code",
        "012345 012345",
        "Ваш код: 012345. Никому не говорите",
        "رمزك هو ٠١٢٣٤٥",
    ],
)
def test_code_is_read_as_customers_say_or_paste_it(typed: str) -> None:
    assert read_code(typed, {6}) == "012345"
    assert read_code(typed, PROVIDER_LENGTHS, may_be_words=False) == "012345"


@pytest.mark.parametrize(
    "typed",
    [
        "12345",
        "0123456",
        "1",
        "Your code is 12345",
        "Codes 012345 and 543210",
        "the customer hung up",
        "验证码",
        "012345678901234567890",
        "Code",
    ],
)
def test_what_cannot_be_a_code_of_this_length_is_refused(typed: str) -> None:
    with pytest.raises(NotACode) as other:
        read_code(typed, {6})
    assert other.value.lengths == [6]


@pytest.mark.parametrize("typed", ["hello", "123", "wait a moment", "1234 or 5678", "1" * 11])
def test_what_cannot_be_a_code_of_a_provider_is_refused(typed: str) -> None:
    with pytest.raises(NotACode):
        read_code(typed, PROVIDER_LENGTHS, may_be_words=False)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Ab3Xy9", "Ab3Xy9"),
        ("Ab3 Xy9", "Ab3Xy9"),
        ("AB-0123", "AB0123"),
        ("ABCDEF", "ABCDEF"),
        ("Your code is AB12CD", "AB12CD"),
        ("Ａb3Ｘy9", "Ab3Xy9"),
    ],
)
def test_code_with_letters_is_read(typed: str, code: str) -> None:
    assert read_code(typed, {6}) == code


@given(
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.sampled_from(["0٠०๐０"[i] for i in range(5)]),
    st.sampled_from(["", " ", "-", "\u00a0", " - "]),
    st.sampled_from(
        ["{}", " {} ", "Your code is {}.", "验证码{}，请勿告知他人", "code: {} (5 min)"]
    ),
)
def test_any_writing_of_a_code_reads_back_as_itself(
    code: str, zero: str, between: str, sentence: str
) -> None:
    written = between.join(chr(ord(zero) + int(digit)) for digit in code)
    assert read_code(sentence.format(written), {6}) == code


@given(st.text(st.sampled_from("0123456789 -.٣aB验")), st.sampled_from([{6}, {4, 8}]))
def test_what_is_read_has_a_possible_length_and_comes_from_the_input(
    typed: str, lengths: set[int]
) -> None:
    try:
        code = read_code(typed, lengths)
    except NotACode:
        return
    assert len(code) in lengths
    assert code in "".join(codes.normalize(character) for character in typed)
