"""Create, hash and compare the portal's own codes, and normalise codes read out by phone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

from django.conf import settings

SHORTEST: Final = 6
"""Digits: six give at least the 20 bits that NIST SP 800-63B asks for."""
LONGEST: Final = 8
LONGEST_READ: Final = 32
"""Characters of the input that are considered."""
PROVIDER_LENGTHS: Final = range(4, 11)
"""Possible lengths of a code that the provider made. Its document names none."""
PURPOSE: Final = b"smsportal one-time codes"
_RUN: Final = re.compile(r"[0-9]+")
_SPACED_RUN: Final = re.compile(r"[0-9]+(?:[ .-]{1,3}[0-9]+)*")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")
_MIXED: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[0-9A-Za-z]+")


class NotACode(ValueError):
    """The input has another length than the code. `lengths` are the possible ones."""

    def __init__(self, lengths: Collection[int]) -> None:
        super().__init__("not a code of this length")
        self.lengths = sorted(lengths)


def make(length: int = SHORTEST) -> str:
    """A uniformly random code of `length` digits. Raises ValueError outside 6 to 8."""
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"A code has {SHORTEST} to {LONGEST} digits.")
    return f"{secrets.randbelow(10**length):0{length}}"


def digest(session: str, serial: int, code: str) -> str:
    """Keyed hash of a code, which is all that is stored of it.

    Without the key it reveals nothing. It is bound to the session and serial, so that equal codes
    have different digests.
    """
    return _digest(next(_keys()), session, serial, code)


def matches(stored: str, session: str, serial: int, typed: str) -> bool:
    """Whether `typed` is the code behind the digest `stored`, under any configured key."""
    matching = [
        hmac.compare_digest(_digest(key, session, serial, typed), stored) for key in _keys()
    ]
    return bool(stored) and any(matching)


def normalize(typed: str) -> str:
    """Remove separators, turn the digits of any script into ASCII, and cut to `LONGEST_READ`."""
    return "".join(filter(str.isalnum, _fold(typed)))[:LONGEST_READ]


def read_code(typed: str, lengths: Collection[int], *, may_be_words: bool = True) -> str:
    """The code in what a customer read out or pasted. Raises `NotACode`.

    That is the whole input without separators, or the one run of a sentence that has a possible
    length. `may_be_words`: whether a code may be spelled in letters alone or in several words.
    """
    folded = _fold(typed)
    whole = normalize(typed)
    if whole.isdecimal() and len(whole) in lengths:
        return whole
    runs = {re.sub("[^0-9]", "", run) for run in _SPACED_RUN.findall(folded)}
    runs |= set(_RUN.findall(folded))
    mixed = {word for word in _WORD.findall(folded) if _MIXED.fullmatch(word)}
    for found in (runs, mixed, {whole} if may_be_words and whole.isascii() else set()):
        possible = [code for code in found if len(code) in lengths]
        if len(possible) == 1:
            return possible[0]
        if possible:
            break
    raise NotACode(lengths)


def _fold(typed: str) -> str:
    """Compatibility forms as plain ones, and every digit as one of 0 to 9."""
    folded = unicodedata.normalize("NFKC", typed)
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in folded
    )


def _keys() -> Iterator[bytes]:
    """Keys derived from `SECRETS_KEYS`, the current one first.

    All of them are tried, so that pending codes can still be checked during a key rotation.
    """
    for key in settings.SECRETS_KEYS:
        yield hmac.digest(key.encode(), PURPOSE, hashlib.sha256)


def _digest(key: bytes, session: str, serial: int, code: str) -> str:
    # Case is ignored, because it cannot be heard on the phone.
    payload = f"{session}\n{serial}\n{normalize(code).upper()}"
    return hmac.new(key, payload.encode(), hashlib.sha256).hexdigest()
