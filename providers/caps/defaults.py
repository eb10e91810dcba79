"""The caps that apply until staff set others: those of the environment and of the portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from .windows import Window

DIGITS_AFTER_RANGE: Final = 4
CODES: Final = "codes"
CODES_PER_HOUR: Final = 5
"""To one number. One code a minute is the least gap between two codes, which has no rule."""


@dataclass(frozen=True, slots=True)
class DefaultCap:
    what: str
    scope: str
    window: Window
    most: int
    setting: str = ""
    """The setting of the environment that states it."""


def range_of(number: str) -> str:
    """The range of an E.164 number: the numbers that differ in their last four digits only."""
    return number[:-DIGITS_AFTER_RANGE]


def default_caps() -> Iterator[DefaultCap]:
    for what, most in settings.DAILY_LIMITS.items():
        yield DefaultCap(what, "user", Window.DAY, most, f"DAILY_{what.upper()}")
    yield DefaultCap(CODES, "number", Window.HOUR, CODES_PER_HOUR)
    yield DefaultCap(CODES, "number", Window.DAY, settings.CODES_PER_NUMBER, "CODES_PER_NUMBER")
    yield DefaultCap(CODES, "prefix", Window.DAY, settings.CODES_PER_PREFIX, "CODES_PER_PREFIX")
