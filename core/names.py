"""The names that people give to things: one line, in which nothing is hidden.

A hidden character lets one name look like another, and a mark of direction turns the page around.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from django import forms

from .text_cleaning import BLANKS, clean_text

_DIRECTION_MARKS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They may stand in a right-to-left text, but a name turns by its letters alone."""


def given_name(typed: str) -> str:
    """The typed name without what shows nothing. Empty if nothing is left."""
    return _one_line(_DIRECTION_MARKS.sub("", clean_text(typed)))


def hides_characters(name: str) -> bool:
    """Whether it holds more than readers see."""
    return given_name(name) != _one_line(unicodedata.normalize("NFC", name))


def has_control_characters(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" for sign in text)


def _one_line(text: str) -> str:
    return BLANKS.sub(" ", text).strip()


class GivenName(forms.CharField):
    """A field for the name of something."""

    def to_python(self, value: Any) -> str:
        return given_name(super().to_python(value) or "")
