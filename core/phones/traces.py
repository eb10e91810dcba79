"""Find a phone number in any text, however it is written."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

from .parse import PhoneError, parse_number

SHORTEST_ALONE: Final = 8
"""Digits of a number that is recognised without its country code. Fewer may mean anything."""
INVISIBLE: Final = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
"""Characters that phones and address books put into numbers that they copy."""
GAP: Final = rf"(?:[\s.()/+\u2010-\u2015\u2212\u00a0\u00b7_{INVISIBLE}-]|%20|%2[BDbd89]){{0,4}}"
ZEROS: Final = (0x30, 0xFF10, 0x0660, 0x06F0)
"""The zeros of ASCII, of full width, and of the two Arabic ways to write digits."""
ANY_DIGIT: Final = "".join(f"{chr(zero)}-{chr(zero + 9)}" for zero in ZEROS)


class Traces:
    """All writings of one number: with or without its country code, in groups, in an address.

    Digits without a plus sign may be this number or one of another country, such as 13912345678 in
    China and +1 391 234 5678. In a text they count as both: an erasure rather takes too much.
    """

    def __init__(self, number: str) -> None:
        """`number`: E.164, or digits as a provider stated them."""
        self.number = number
        try:
            parsed = parse_number(number)
        except PhoneError:
            self._code, self._rest = "", "".join(filter(str.isdecimal, number))
        else:
            self._code, self._rest = parsed.calling_code, parsed.significant

    @property
    def plain_writings(self) -> tuple[str, ...]:
        """The writings that a column of numbers may have, without anything between the digits."""
        code, rest = self._code, self._rest
        found = {self.number, rest}
        if code:
            found |= {f"+{code}{rest}", f"{code}{rest}", f"00{code}{rest}", f"0{rest}"}
        return tuple(sorted(one for one in found if one))

    @cached_property
    def _digits(self) -> re.Pattern[str]:
        """The digits without a country code. Quick, since most texts have nothing like them."""
        return re.compile(GAP.join(map(_any_width, self._rest)))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        zero = _any_width("0")
        code = GAP.join(map(_any_width, self._code))
        prefix = rf"(?:(?:\+|%2[Bb]){GAP})?(?:{zero}{{1,2}}{GAP})?{code}{GAP}(?:{zero}{GAP})?"
        if not self._code:
            prefix = ""
        elif len(self._rest) >= SHORTEST_ALONE:
            # Behind a plus sign the first digits are a country code: +1 391… is no Chinese number.
            prefix = rf"(?:{prefix}|(?<![+])(?<!%2[Bb])(?:{zero}{GAP})?)"
        return re.compile(rf"(?<![{ANY_DIGIT}]){prefix}{self._digits.pattern}(?![{ANY_DIGIT}])")

    def is_in(self, text: str) -> bool:
        if not self._rest or self._digits.search(text) is None:
            return False
        return self._pattern.search(text) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the number stands in the text."""
        if not self.is_in(text):
            return []
        return [found.span() for found in self._pattern.finditer(text)]

    def is_number(self, text: str) -> bool:
        """Whether the text is this number and nothing else."""
        return bool(self._rest) and self._pattern.fullmatch(text.strip()) is not None

    def replaced(self, value: Any, stand_in: str) -> Any:
        """The same text, bytes or JSON value without the number."""
        if isinstance(value, str):
            return self._pattern.sub(lambda _match: stand_in, value) if self.is_in(value) else value
        if isinstance(value, (bytes, bytearray, memoryview)):
            # Latin-1 keeps every byte, and digits are the same in nearly all encodings.
            text = bytes(value).decode("latin-1")
            return self.replaced(text, stand_in).encode("latin-1")
        if isinstance(value, dict):
            return {
                self.replaced(key, stand_in): self.replaced(each, stand_in)
                for key, each in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.replaced(each, stand_in) for each in value]
        is_figure = isinstance(value, (int, float)) and not isinstance(value, bool)
        return stand_in if is_figure and self.is_number(f"{value:.0f}") else value


def _any_width(digit: str) -> str:
    return f"[{''.join(chr(zero + int(digit)) for zero in ZEROS)}]"
