"""Prefixes with which some phone number begins, and those with which none does."""

from __future__ import annotations

import phonenumbers
import pytest

from core.phones.prefixes import begins_a_number


@pytest.mark.parametrize(
    "prefix",
    [
        "+8",
        "+86",
        "+86139",
        "+861391234567",
        "+1",
        "+1212",
        "+3906",  # The 0 belongs to numbers of Italy.
        "+4420",
        "+225",
        "+852",
        "+35",
    ],
)
def test_numbers_begin_with_these(prefix: str) -> None:
    assert begins_a_number(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "+860",  # Stored without the 0.
        "+86110",
        "+440",
        "+44020",
        "+999",
        "+210",
        "+800",  # Belongs to no country, so no recipient has it.
        "+8613912345678",  # A whole number.
    ],
)
def test_no_number_begins_with_these(prefix: str) -> None:
    assert not begins_a_number(prefix)


@pytest.mark.parametrize("region", ["AR", "BR", "CI", "DO", "ID", "IT", "MX", "NU", "SM", "US"])
def test_every_beginning_of_a_mobile_number_counts(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert all(begins_a_number(e164[:length]) for length in range(2, len(e164)))
