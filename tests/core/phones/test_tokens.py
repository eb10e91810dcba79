"""Tokens that stand for phone numbers in addresses."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from core.phones.tokens import BadToken, number_in, token_of


@given(st.text(max_size=100))
def test_token_holds_the_number_and_does_not_show_it(number: str) -> None:
    token = token_of(number)

    assert number_in(token) == number
    assert token_of(number) == token
    assert token.isascii()
    assert len(number) < 5 or number not in token


@given(st.text(max_size=60))
def test_other_text_is_no_token(text: str) -> None:
    with pytest.raises(BadToken):
        number_in(text)


def test_changed_token_is_refused() -> None:
    token = token_of("+8613912345678")

    for index in range(len(token)):
        changed = "A" if token[index] != "A" else "B"
        other = token[:index] + changed + token[index + 1 :]
        try:
            assert number_in(other) == "+8613912345678"  # Unused bits of the last character.
        except BadToken:
            continue
        assert index == len(token) - 1


def test_older_key_still_reads_its_tokens(settings: Any) -> None:
    token = token_of("+8613912345678")
    first = list(settings.SECRETS_KEYS)

    settings.SECRETS_KEYS = [Fernet.generate_key().decode(), *first]
    assert number_in(token) == "+8613912345678"
    assert token_of("+8613912345678") != token

    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(BadToken):
        number_in(token)
