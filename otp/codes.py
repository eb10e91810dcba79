"""Create, hash and compare the portal's own codes, and normalise codes read out by phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Final

from django.conf import settings

SHORTEST: Final = 6
"""Digits: six give at least the 20 bits that NIST SP 800-63B asks for."""
LONGEST: Final = 8
LONGEST_READ: Final = 32
"""Characters of the input that are considered."""
PURPOSE: Final = b"smsportal one-time codes"


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
    """Remove separators, turn full-width digits into ASCII, and cut to `LONGEST_READ`."""
    folded = unicodedata.normalize("NFKC", typed)
    characters = (character for character in folded if character.isalnum())
    return "".join(characters)[:LONGEST_READ]


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
