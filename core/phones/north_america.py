"""Area codes of the countries that share +1."""

from __future__ import annotations

from functools import cache
from typing import Final

import phonenumbers

CALLING_CODE: Final = 1
AREA_DIGITS: Final = 3


@cache
def has_area(area: str) -> bool:
    """Whether numbers of any country of +1 begin with these three digits.

    A Chinese mobile number that begins with a plus sign but without 86 looks like a number of +1:
    its second to fourth digit would be the area code. The first answer for a code that no country
    has takes about 20 ms, because some codes are in use for a few exchanges only.
    """
    return len(area) == AREA_DIGITS and any(
        phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}{exchange}0000"))
        for exchange in range(200, 1000)
    )
