"""A number is found however it is written, and nothing else is taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from core.phones.digests import digest_of, digests_of, subject_of
from core.phones.erased import is_erased, stand_in
from core.phones.parse import grouped, mask
from core.phones.traces import Traces

CHINESE = Traces("+8613912345678")
AMERICAN = Traces("+14155552671")
SHORT = Traces("+6834001")


@pytest.mark.parametrize(
    "text",
    [
        "13912345678",
        "+8613912345678",
        "8613912345678",
        "008613912345678",
        "086 13912345678",
        "+86 139 1234 5678",
        "+86 (0)139-1234-5678",
        "to=%2B8613912345678&x=1",
        "to=86%20139%201234%205678",
        '{"phone":"8613912345678"}',
        "１３９１２３４５６７８",
        "call 139.1234.5678!",
        "\u202a+86 139\u200e1234\u20605678\u202c",
        "139·1234·5678",
        "139_1234_5678",
        "١٣٩١٢٣٤٥٦٧٨",
        "۱۳۹۱۲۳۴۵۶۷۸",
    ],
)
def test_every_writing_is_found_and_replaced_whole(text: str) -> None:
    assert CHINESE.is_in(text)
    left = CHINESE.replaced(text, "#")
    assert "#" in left
    assert not CHINESE.is_in(left)
    assert "1234" not in left
    assert "86" not in left


@pytest.mark.parametrize(
    "text",
    [
        "139123456789",
        "9913912345678",
        "1391234567",
        "139,1234,5678",
        "+1 391 234 5678",
        "to=%2B13912345678",
        "",
    ],
)
def test_other_digits_are_left(text: str) -> None:
    assert not CHINESE.is_in(text)
    assert CHINESE.replaced(text, "#") == text


def test_a_number_of_another_country() -> None:
    assert AMERICAN.replaced("or (415) 555-2671, +1 415.555.2671", "#") == "or (#, #"
    assert AMERICAN.is_number("1-415-555-2671")


def test_a_short_number_is_found_with_its_country_code_only() -> None:
    assert SHORT.is_in("+683 4001")
    assert SHORT.is_in("6834001")
    assert not SHORT.is_in("at 4001 m")


def test_json_and_bytes_keep_their_form() -> None:
    value = {"a": ["13912345678", 13912345678, 1.5, None, True], "13912345678": 86.0}
    assert CHINESE.replaced(value, "#") == {"a": ["#", "#", 1.5, None, True], "#": 86.0}
    body = b"\xff\xfe13912345678\x80"
    assert CHINESE.replaced(body, "#") == b"\xff\xfe#\x80"


def test_the_writings_of_a_column_are_among_those_found() -> None:
    assert "+8613912345678" in CHINESE.plain_writings
    assert all(map(CHINESE.is_number, CHINESE.plain_writings))


def test_a_stand_in_shows_no_digit() -> None:
    assert is_erased(stand_in(7))
    assert not is_erased("+8613912345678")
    assert mask(stand_in(7)) == grouped(stand_in(7)) == "••••"
    assert len(stand_in(10**9)) <= 20


def test_a_hash_of_an_older_key_is_still_known(settings: Any) -> None:
    before = digest_of("+8613912345678")
    old = settings.SECRETS_KEYS
    settings.SECRETS_KEYS = ["bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=", *old]
    assert digest_of("+8613912345678") != before
    assert before in digests_of("+8613912345678")
    assert subject_of("+8613912345678") != subject_of("+8613912345679")
