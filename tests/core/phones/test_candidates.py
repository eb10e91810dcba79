"""Every number that `Traces` finds in a text is among those that the text may mean."""

from __future__ import annotations

import pytest

from core.phones.candidates import meanings, written_numbers
from core.phones.digests import digest_of, matching
from core.phones.traces import Traces

CHINESE = "+8613912345678"
BRITISH = "+447911123456"
MAURITIAN = "+23057891234"


def meant(text: str) -> set[str]:
    return {number for written in written_numbers(text) for number in meanings(written)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call +86 139 1234 5678 now", CHINESE),
        ("13912345678", CHINESE),
        ("a list: 13912345670 13912345678 13912345679", CHINESE),
        ("phone=%2B8613912345678&code=1", CHINESE),
        ("phone=+86%20139%201234%205678", CHINESE),
        ('{"to":"008613912345678"}', CHINESE),
        ("013912345678", CHINESE),
        ("+86 0139-1234-5678", CHINESE),
        ("\uff11\uff13\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", CHINESE),
        ("+44 (0) 7911 123456", BRITISH),
        ("07911 123456", BRITISH),
        ("2026-11-30 13912345678", CHINESE),
        ("57891234", MAURITIAN),
    ],
)
def test_all_writings_of_a_number_are_recognised_by_its_hash(text: str, number: str) -> None:
    assert Traces(number).is_in(text)
    assert number in meant(text)
    assert matching(meant(text), {digest_of(number), "0" * 64}) == {number}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1 391 234 5678", CHINESE),
        ("139123456789", CHINESE),
        ("order 913912345678", CHINESE),
        ("139.12", CHINESE),
    ],
)
def test_other_digits_are_no_writing_of_it(text: str, number: str) -> None:
    assert not Traces(number).is_in(text)
    assert number not in meant(text)


def test_long_lists_of_digits_end_quickly() -> None:
    text = " ".join(str(10_000_000 + number) for number in range(2_000))
    assert len(written_numbers(text)) < 6 * 2_000
