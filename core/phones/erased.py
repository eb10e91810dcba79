"""What stands in a row instead of a phone number that was erased.

It has the form of a number in E.164, so every column holds it. No country code begins with 0, so
nothing can be sent to it. All rows of one number get the same one.
"""

from __future__ import annotations

from typing import Final

START: Final = "+000"


def stand_in(serial: int) -> str:
    """The stand-in of the erasure with this serial number."""
    return f"{START}{serial:010d}"


def is_erased(number: str) -> bool:
    """Whether this is a stand-in, and no number."""
    return number.startswith(START)


FORGOTTEN: Final = stand_in(0)
"""Of every number that went because of its age."""
