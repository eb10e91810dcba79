"""Reads the digits of a phone number from what people type, paste or export."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, NoReturn

from .decimals import Ambiguous, Shortened, plain_number
from .problems import PhoneError, PhoneProblem

MAX_TYPED_LENGTH: Final = 100

_BETWEEN_NUMBERS: Final = re.compile(r"[,;/|&\n\r\t、]|(?<=[0-9])\s*(?=\+)")
_SEPARATORS: Final = frozenset("-.()[]{}·・‧∙⋅‐‑‒–—―−⁃˗ーｰ─")
_WRAPPERS: Final = "\"'`´‘’‚‛“”„‟′″«»‹›「」『』〝〞〟【】〔〕<>,;、。"
"""Quotation marks, and the separators of lists, which exports and copied texts leave around."""
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u20e3\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What shows nothing beyond the format characters (Cf), and the frame of an emoji key."""
_REVERSAL: Final = "\u202e"
"""Shows what follows from right to left: other digits than those that are stored."""
_POINTS: Final = {"\u066b": ".", "\u066c": ","}
"""Decimal and thousands separators of Arabic."""

_LINK: Final = re.compile(
    r"(?:tel|callto|sms|smsto|mms|mmsto)\s*:\s*(?://)?([^;?]*)((?:;[a-z][a-z0-9-]*(?:=[^;?]*)?)*)(?:\?.*)?",
    re.IGNORECASE | re.DOTALL,
)
"""RFC 3966 (tel) and RFC 5724 (sms)."""
_CHAT_LINK: Final = re.compile(
    r"(?:https?://)?(?:www\.)?wa\.me/\+?([0-9]+)/?(?:\?.*)?"
    r"|(?:(?:https?://)?(?:api|web)\.whatsapp\.com/send/?|whatsapp://send/?)"
    r"\?(?:.*&)?phone=(?:\+|%2B)?([0-9]+)(?:&.*)?",
    re.IGNORECASE | re.DOTALL,
)
"""The number in such a link always begins with the country code."""
_CONTEXT: Final = re.compile(r";phone-context=(\+[0-9]+)", re.IGNORECASE)
_EXTENSION: Final = re.compile(r";(?:ext|isub|postd)=", re.IGNORECASE)
_BARE: Final = re.compile(r"\+?[0-9]+")
_ESCAPED: Final = re.compile(r"%(20|28|29|2B|2D|2E)", re.IGNORECASE)

_NORTH_AMERICAN: Final = re.compile(
    r"(?:\(1\)|1\(|1 )\(?[0-9]{3}\)? ?[0-9]{3} ?[0-9]{4}"
    r"|\(1[0-9]{3}\) ?[0-9]{3} ?[0-9]{4}"
)
"""A 1 by itself, then ten digits. Every other sign than a bracket is written as a blank."""


_LAST_ZEROS: Final = re.compile(r"[.,]0{1,3}$")


@dataclass(frozen=True, slots=True)
class Writing:
    """The digits of a number as it was written."""

    digits: str
    international: bool
    """Whether they begin with a country code, as after a plus sign."""
    north_american: bool
    """Whether they are grouped as in North America, after a leading 1."""
    decimals: int = 0
    """How many of the last digits are zeros behind a point or comma, so may be no digits of it."""


@dataclass(frozen=True, slots=True)
class _Sign:
    position: int
    """In the text as typed, from 1."""
    character: str


def read_writing(typed: str) -> Writing:
    """The digits of a written number. Raises `PhoneError`."""
    if len(typed) > MAX_TYPED_LENGTH:
        raise PhoneError(PhoneProblem.TOO_LONG, typed)
    signs = _fold(typed)
    text = _text_of(signs).strip()
    chat = _CHAT_LINK.fullmatch(text)
    if chat:
        return Writing(chat[1] or chat[2], international=True, north_american=False)
    signs, context = _open_link(typed, signs)
    signs = _unwrap(signs)
    text = _text_of(signs)
    _reject_several(typed, text)
    plain = _plain(typed, text)
    digits = _digits_of(typed, signs, plain)
    if not digits.startswith("+"):
        digits = context + digits
    return Writing(
        digits.removeprefix("+"),
        international=digits.startswith("+"),
        north_american=bool(_NORTH_AMERICAN.fullmatch(_groups_of(text))),
        decimals=len(zeros[0]) - 1 if (zeros := _LAST_ZEROS.search(plain)) else 0,
    )


# --- from characters to signs ---------------------------------------------------


def _fold(typed: str) -> list[_Sign]:
    """The signs that show something, with the digits of any one script as 0 to 9."""
    signs: list[_Sign] = []
    scripts: dict[int, int] = {}
    for position, character in enumerate(typed, start=1):
        if character == _REVERSAL:
            raise PhoneError(PhoneProblem.CHARACTER, typed, position=position)
        if _INVISIBLE.match(character) or unicodedata.category(character) == "Cf":
            continue
        folded = _fold_width(character)
        if folded.isdecimal():
            value = unicodedata.decimal(folded)
            scripts.setdefault(ord(folded) - value, position)
            folded = str(value)
        signs.append(_Sign(position, folded))
    if len(scripts) > 1:
        foreign = [position for zero, position in scripts.items() if zero != ord("0")]
        raise PhoneError(PhoneProblem.FOREIGN_DIGITS, typed, position=min(foreign))
    return signs


def _fold_width(character: str) -> str:
    """Convert full-width and small forms only: full NFKC would turn ² and ① into digits."""
    if "\uff01" <= character <= "\uff5e" or "\ufe50" <= character <= "\ufe6b":
        return unicodedata.normalize("NFKC", character)
    return _POINTS.get(character, character)


def _text_of(signs: list[_Sign]) -> str:
    return "".join(sign.character for sign in signs)


def _open_link(typed: str, signs: list[_Sign]) -> tuple[list[_Sign], str]:
    """The signs of the number in a link, and the country code of its context."""
    signs = _strip(signs, "<>\"'")
    link = _LINK.fullmatch(_text_of(signs))
    if link is None:
        return signs, ""
    if _EXTENSION.search(link[2]):
        raise PhoneError(PhoneProblem.EXTENSION, typed)
    context = _CONTEXT.search(link[2])
    return _unescape(signs[link.start(1) : link.end(1)]), context[1] if context else ""


def _unescape(signs: list[_Sign]) -> list[_Sign]:
    text, kept, place = _text_of(signs), [], 0
    for escape in _ESCAPED.finditer(text):
        kept += signs[place : escape.start()]
        kept.append(_Sign(signs[escape.start()].position, chr(int(escape[1], 16))))
        place = escape.end()
    return kept + signs[place:]


def _unwrap(signs: list[_Sign]) -> list[_Sign]:
    """Without quotation marks and separators around the number, and a formula's sign: ="139…"."""
    signs = _strip(signs, _WRAPPERS)
    while signs and signs[0].character == "=":
        signs = _strip(signs[1:], _WRAPPERS)
    return signs


def _strip(signs: list[_Sign], characters: str) -> list[_Sign]:
    start, end = 0, len(signs)
    while start < end and _is_around(signs[start].character, characters):
        start += 1
    while start < end and _is_around(signs[end - 1].character, characters):
        end -= 1
    return signs[start:end]


def _is_around(character: str, characters: str) -> bool:
    return character in characters or character.isspace()


# --- from signs to digits ---------------------------------------------------------


def _plain(typed: str, text: str) -> str:
    try:
        return plain_number(text)
    except Ambiguous:
        raise PhoneError(PhoneProblem.DECIMAL, typed) from None
    except Shortened:
        raise PhoneError(PhoneProblem.SHORTENED, typed) from None


def _digits_of(typed: str, signs: list[_Sign], plain: str) -> str:
    """The digits after at most one plus sign."""
    if _BARE.fullmatch(plain):
        return plain
    kept: list[str] = []
    for sign in signs[: len(plain)]:
        character = sign.character
        if character in "0123456789" or (character == "+" and not kept):
            kept.append(character)
        elif character not in _SEPARATORS and not character.isspace():
            _reject_character(typed, sign)
    if not any(character != "+" for character in kept):
        raise PhoneError(PhoneProblem.EMPTY, typed)
    return "".join(kept)


def _groups_of(text: str) -> str:
    """The groups of digits, with brackets, apart by one blank."""
    return re.sub(r" *([()]) *", lambda bracket: bracket[1], re.sub(r"[^0-9()+]+", " ", text))


def _reject_several(typed: str, text: str) -> None:
    parts = _BETWEEN_NUMBERS.split(text)
    if sum(_digits_in(part) >= 7 for part in parts) < 2:
        words = text.split()
        if sum(_digits_in(word) >= 10 for word in words) < 2:
            return
    raise PhoneError(PhoneProblem.TWO_NUMBERS, typed)


def _digits_in(text: str) -> int:
    return len(re.findall(r"[0-9]", text))


def _reject_character(typed: str, sign: _Sign) -> NoReturn:
    letter = unicodedata.category(sign.character).startswith("L")
    kind = PhoneProblem.LETTER if letter else PhoneProblem.CHARACTER
    raise PhoneError(kind, typed, position=sign.position)
