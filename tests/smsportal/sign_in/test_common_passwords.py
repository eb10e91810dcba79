"""Passwords that are refused, and passphrases that are not."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from smsportal.sign_in.common_passwords import FILE, common_passwords


def codes_of(password: str) -> set[str]:
    try:
        validate_password(password)
    except ValidationError as error:
        return {str(each.code) for each in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password", ["1q2w3e4r5t6y", "1Q2W3E4R5T6Y", "qwertyuiop123", "Mailcreated5240"]
)
def test_common_password_is_refused_in_any_case(password: str) -> None:
    assert "password_too_common" in codes_of(password)


def test_eleven_characters_are_too_few_and_a_passphrase_is_enough() -> None:
    assert "password_too_short" in codes_of("Kx7#mQ2!vR9")
    assert codes_of("lantern orchard violin") == set()
    assert codes_of("灯笼果园小提琴和一条长长的河") == set()


def test_list_names_its_source_and_has_no_line_that_its_length_refuses_anyway() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert "MIT" in "".join(line for line in lines if line.startswith("#"))
    assert min(len(line) for line in lines if not line.startswith("#")) >= 12
    assert len(common_passwords()) > 19_000
