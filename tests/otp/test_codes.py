"""The portal's own codes: creation, digests, matching and normalisation."""

from __future__ import annotations

import pytest
from django.test import override_settings

from otp import codes

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
