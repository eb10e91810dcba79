"""Remove the characters of a text that show nothing and mean nothing.

Copied texts and exported cells carry them: marks of a word processor, of a right-to-left page or
of a file's encoding. A single one makes a message Unicode, which takes up to three times as many
segments.

What a script or an emoji needs stays: joiners in Arabic, Indic and similar scripts and inside
emoji, direction marks in a text with right-to-left letters, variation selectors behind the
characters that have variants.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

BLANKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
"""Runs of blanks, line ends and control characters, which become one blank in a cell."""

_DIRECTION_MARKS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_JOINERS: Final = "\u200c\u200d"
_SELECTORS: Final = "\ufe00-\ufe0f"
_MONGOLIAN_SELECTORS: Final = "\u180b-\u180d\u180f"
_IDEOGRAPHIC_SELECTORS: Final = "\U000e0100-\U000e01ef"
_TAGS: Final = "\U000e0020-\U000e007f"
_MEANINGLESS: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f"
    "\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Invisible everywhere. With those above: `Default_Ignorable_Code_Point` of the Unicode character
database, and the marks of an interlinear annotation."""
_INVISIBLE: Final = re.compile(
    f"[{_DIRECTION_MARKS}{_JOINERS}{_SELECTORS}{_MONGOLIAN_SELECTORS}{_IDEOGRAPHIC_SELECTORS}"
    f"{_TAGS}{_MEANINGLESS}]"
)
_INVISIBLE_BUT_DIRECTION: Final = re.compile(
    f"[{_JOINERS}{_SELECTORS}{_MONGOLIAN_SELECTORS}{_IDEOGRAPHIC_SELECTORS}{_TAGS}{_MEANINGLESS}]"
)
_BRAILLE_BLANK: Final = "\u2800"
_BRAILLE: Final = re.compile("[\u2801-\u28ff]")

_SHAPED: Final = (
    "\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\u1980-\u1aaf\u1b00-\u1c7f\ua840-\ua87f"
    "\ua8e0-\ua8ff\ua980-\ua9ff\uaa60-\uaa7f\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefe"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
"""Scripts whose letters a joiner shapes: Arabic, Syriac, Mongolian, and the Indic family."""
_IDEOGRAPHS: Final = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PICTURES: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
"""Emoji, and symbols with an emoji variant."""
_NEEDED: Final = re.compile(
    f"(?<=[{_SHAPED}])[{_JOINERS}{_SELECTORS}{_MONGOLIAN_SELECTORS}]"
    f"|(?<=[{_PICTURES}{_SELECTORS}])\u200d(?=[{_PICTURES}])"
    f"|(?<=[{_PICTURES}{_IDEOGRAPHS}])[{_SELECTORS}]"
    "|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    f"|(?<=[{_IDEOGRAPHS}])[{_IDEOGRAPHIC_SELECTORS}]"
    f"|(?<=[\U0001f3f4{_TAGS}])[{_TAGS}]"
)
"""An invisible character that shapes the one before it, or joins it to the one that follows."""


def clean_text(text: str) -> str:
    """The text without characters that carry nothing, its letters composed.

    Line ends, other blanks and control characters stay. Cleaning twice changes nothing more.
    """
    text = _compose(text)
    if not _INVISIBLE.search(text) and _BRAILLE_BLANK not in text:
        return text
    cleaned = _compose(_drop_invisible(text))
    while cleaned != text:
        # Characters compose or change places once nothing is left between them.
        text, cleaned = cleaned, _compose(_drop_invisible(cleaned))
    return cleaned


def clean_value(cell: str) -> str:
    """A cell of a file as one line of a text. Readers of files call this for every cell."""
    return BLANKS.sub(" ", clean_text(cell)).strip()


def shows_nothing(text: str) -> bool:
    """Whether a reader would see an empty message."""
    return not any(_is_visible(character) for character in clean_text(text))


def _compose(text: str) -> str:
    """NFC, unless it makes the text longer: some Indic and Hebrew letters only decompose."""
    if unicodedata.is_normalized("NFC", text):
        return text
    composed = unicodedata.normalize("NFC", text)
    return composed if len(composed) <= len(text) else text


def _drop_invisible(text: str) -> str:
    if not _BRAILLE.search(text):
        # The empty cell of braille: elsewhere it is a blank in disguise.
        text = text.replace(_BRAILLE_BLANK, " ")
    dropped = _INVISIBLE_BUT_DIRECTION if _is_right_to_left(text) else _INVISIBLE
    cleaned = _drop(dropped, text)
    while cleaned != text:
        # What a removed character kept apart may need the other one no longer.
        text, cleaned = cleaned, _drop(dropped, cleaned)
    return text


def _is_right_to_left(text: str) -> bool:
    letters = _INVISIBLE.sub("", text)
    return any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in letters)


def _drop(characters: re.Pattern[str], text: str) -> str:
    def kept(found: re.Match[str]) -> str:
        return found[0] if _NEEDED.match(text, found.start()) else ""

    return characters.sub(kept, text)


def _is_visible(character: str) -> bool:
    if character == _BRAILLE_BLANK or _INVISIBLE.match(character):
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Zs", "Zl", "Zp")
