"""Codes of ours: how they are made, kept, compared and read."""

from __future__ import annotations

import pytest
from django.test import override_settings

from otp import codes

KEYS = [
    "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "YW5vdGhlci1rZXktZm9yLXRlc3RzLW9ubHktMTIzNDU=",
]


@pytest.mark.parametrize("length", [6, 7, 8])
def test_a_code_has_the_digits_that_were_asked_for(length: int) -> None:
    made = {codes.make(length) for _ in range(50)}
    assert all(len(code) == length and code.isascii() and code.isdigit() for code in made)
    assert len(made) > 40


@pytest.mark.parametrize("length", [0, 4, 5, 9])
def test_a_code_is_never_shorter_than_six_digits(length: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        codes.make(length)


def test_what_is_kept_tells_neither_the_code_nor_that_two_are_equal() -> None:
    kept = codes.digest("a", 1, "482913")
    assert "482913" not in kept
    assert kept != codes.digest("b", 1, "482913")
    assert kept != codes.digest("a", 2, "482913")


def test_only_the_code_of_this_session_and_serial_matches() -> None:
    kept = codes.digest("a", 1, "482913")
    assert codes.matches(kept, "a", 1, "482913")
    assert not codes.matches(kept, "a", 1, "482914")
    assert not codes.matches(kept, "b", 1, "482913")
    assert not codes.matches(kept, "a", 2, "482913")


def test_no_kept_code_matches_nothing() -> None:
    assert not codes.matches("", "a", 1, "")


def test_a_code_under_way_can_be_checked_while_keys_are_rotated() -> None:
    with override_settings(SECRETS_KEYS=KEYS[:1]):
        kept = codes.digest("a", 1, "482913")
    with override_settings(SECRETS_KEYS=KEYS[::-1]):
        assert codes.matches(kept, "a", 1, "482913")
        assert codes.digest("a", 1, "482913") != kept
    with override_settings(SECRETS_KEYS=KEYS[1:]):
        assert not codes.matches(kept, "a", 1, "482913")


@pytest.mark.parametrize(
    ("typed", "read"),
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
def test_it_is_read_as_it_is_said_on_the_phone(typed: str, read: str) -> None:
    assert codes.normalize(typed) == read
