"""Count the segments of a text, and find the character that makes it expensive.

The limits are those of GSM 03.38 (3GPP TS 23.038): 160 septets in a single segment, 153 in each
part of several. UCS-2 has 70 and 67 UTF-16 code units. The count is an estimate, since providers
may concatenate with a 16-bit reference, which leaves fewer units.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from providers.gateway.vocabulary import Encoding

# TS 23.038 has a capital C with cedilla at 0x09; the small one is not in the alphabet.
BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Each takes two septets, since an escape precedes it."""
GSM7: Final = BASIC | EXTENSION
LIMITS: Final = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}

PLAIN: Final = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'", "′": "'", "ʼ": "'", "‹": "'",
    "›": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"', "「": '"',
    "」": '"', "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁃": "-",
    "…": "...", "\u00a0": " ", "\u202f": " ", "\u205f": " ", "\u1680": " ", "\t": " ",
    "\u2028": "\n", "\u2029": "\n", "•": "*", "‣": "*", "·": ".", "・": ".", "×": "x", "⁄": "/",
    "ç": "c", "，": ",", "。": ".", "、": ",", "：": ":", "；": ";", "！": "!", "？": "?",
    "（": "(", "）": ")", "【": "[", "】": "]",
}  # fmt: skip
"""GSM-7 replacements of characters that force Unicode, beside those that `plain_of` derives."""
_SAME_MEANING: Final = ("<wide>", "<narrow>", "<compat>", "<noBreak>", "<font>")
"""Compatibility forms that mean the same as their plain letters: ＡＢＣ, ﬁ, ￥, but not ² or ½."""


@dataclass(frozen=True, slots=True)
class Costly:
    """The first character that forces Unicode. `position` counts from 1, in characters."""

    character: str
    position: int
    replacement: str | None


@dataclass(frozen=True, slots=True)
class Count:
    encoding: Encoding
    units: int
    """Septets or UTF-16 code units."""
    segments: int
    left: int
    """Units left in the last segment."""
    costly: Costly | None


def normalise_line_ends(text: str) -> str:
    """Return the text as it is sent: forms post CRLF, phones count LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def count(text: str) -> Count:
    """Count a text as it is sent; an empty text has no segments."""
    text = normalise_line_ends(text)
    costly = first_costly(text)
    encoding = Encoding.UCS2 if costly else Encoding.GSM7
    single, part = LIMITS[encoding]
    units = _units_in(text, encoding)
    if units <= single:
        return Count(encoding, units, min(1, units), single - units, costly)
    widths = [width(character, encoding) for character in text]
    segments, used = 1, 0
    for needed in widths:
        # Neither an escape pair nor a surrogate pair may straddle two parts.
        if used + needed > part:
            segments, used = segments + 1, 0
        used += needed
    return Count(encoding, units, segments, part - used, costly)


def _units_in(text: str, encoding: Encoding) -> int:
    """Avoid counting character by character where possible, since a batch has many texts."""
    if encoding == Encoding.UCS2:
        return (
            len(text) if max(text, default="") <= "\uffff" else len(text.encode("utf-16-le")) // 2
        )
    return len(text) + sum(text.count(character) for character in EXTENSION & set(text))


def width(character: str, encoding: Encoding) -> int:
    if encoding == Encoding.GSM7:
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def first_costly(text: str) -> Costly | None:
    return next(_costly(text), None)


def costly_characters(text: str) -> list[Costly]:
    """Each character that forces Unicode, once, where it first occurs."""
    found: dict[str, Costly] = {}
    for costly in _costly(normalise_line_ends(text)):
        found.setdefault(costly.character, costly)
    return list(found.values())


def _costly(text: str) -> Iterator[Costly]:
    if GSM7.issuperset(text):
        return
    for position, character in enumerate(text, start=1):
        if character not in GSM7:
            yield Costly(character, position, plain_of(character))


@lru_cache(maxsize=4096)
def plain_of(character: str) -> str | None:
    """The GSM-7 replacement that means the same; None if there is none."""
    if character in PLAIN:
        return PLAIN[character]
    if not unicodedata.decomposition(character).startswith(_SAME_MEANING):
        return None
    plain = unicodedata.normalize("NFKC", character)
    return plain if GSM7.issuperset(plain) else None


def replace_costly(text: str) -> str:
    """Replace every character that has a plain equivalent."""
    plain = ((sign, None if sign in GSM7 else plain_of(sign)) for sign in text)
    return "".join(sign if replacement is None else replacement for sign, replacement in plain)


def surplus(text: str, most: int) -> int:
    """Count the characters to cut from the end so that the text fits into `most` segments."""
    text = normalise_line_ends(text)
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count(text[:middle]).segments <= most:
            low = middle
        else:
            high = middle - 1
    return len(text) - low
