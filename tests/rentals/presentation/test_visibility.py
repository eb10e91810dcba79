"""How the number of an order is shown."""

from __future__ import annotations

import pytest

from rentals.models import Order
from rentals.presentation.visibility import shown, whole_number


@pytest.mark.parametrize(
    ("phone", "region", "number", "national", "e164"),
    [
        ("13055550123", "US", "+1 305 555 0123", "(305) 555-0123", "+13055550123"),
        ("13055550123", "us", "+1 305 555 0123", "(305) 555-0123", "+13055550123"),
        ("+13055550123", "US", "+1 305 555 0123", "(305) 555-0123", "+13055550123"),
        ("6281234567890", "ID", "+62 812 3456 7890", "0812-3456-7890", "+6281234567890"),
        ("6281234567890", "", "+62 812 3456 7890", "0812-3456-7890", "+6281234567890"),
        ("13912345678", "CN", "+86 139 1234 5678", "139 1234 5678", "+8613912345678"),
        ("soon", "US", "soon", "", "soon"),
        ("", "US", "", "", ""),
    ],
)
def test_number_of_an_order_is_read_by_its_region(
    phone: str, region: str, number: str, national: str, e164: str
) -> None:
    order = Order(phone=phone, region=region)
    unmasked = shown(order, unmasked=True)
    assert (unmasked.plain_number, unmasked.national) == (number, national)
    assert unmasked.copy_number == whole_number(order) == e164


def test_masked_number_has_the_country_code_of_its_region() -> None:
    order = Order(phone="13055550123", region="US")
    assert shown(order, unmasked=False).plain_number == "+1 305 ••• 0123"
