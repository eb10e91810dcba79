"""Rules that a typed text must meet before it can be sent."""

from __future__ import annotations

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext

from core.text_cleaning import clean_text, shows_nothing

from . import segments

MAX_SEGMENTS: Final = 10
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LONGEST_TYPED: Final = 5_000
"""Characters. It is well above ten segments, so that a longer text gets the clear error."""


def check_text(text: str, *, has_placeholders: bool = False) -> str:
    """Return the text as it is sent. Raises `ValidationError` with a text for staff.

    Characters that show nothing and mean nothing are dropped.

    `has_placeholders`: the text has placeholders, so its length is checked for each row instead.
    """
    text = clean_text(segments.normalise_line_ends(text))
    if shows_nothing(text):
        raise ValidationError(gettext("Enter the text."))
    if has_control_characters(text):
        raise ValidationError(control_character_text())
    counted = segments.count(text)
    if counted.segments > MAX_SEGMENTS and not has_placeholders:
        raise ValidationError(_too_long(text, counted))
    return text


def has_control_characters(text: str) -> bool:
    return bool(CONTROL.search(text))


def control_character_text() -> str:
    return gettext("The text contains a control character. Remove it and try again.")


def _too_long(text: str, counted: segments.Count) -> str:
    surplus = segments.surplus(text, MAX_SEGMENTS)
    return gettext(
        "The text may have at most %(most)s segments; it has %(segments)s. %(take_out)s"
    ) % {
        "most": MAX_SEGMENTS,
        "segments": counted.segments,
        "take_out": ngettext("Remove %(count)s character.", "Remove %(count)s characters.", surplus)
        % {"count": surplus},
    }
