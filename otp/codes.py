"""Codes of ours: made, hashed with a key, compared in constant time, and read as they are
said on the phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Final

from django.conf import settings

SHORTEST: Final = 6
"""Digits: at least 20 bits, as NIST SP 800-63B asks for."""
LONGEST: Final = 8
LONGEST_READ: Final = 32
"""Characters that are looked at of what was read out."""
PURPOSE: Final = b"smsportal one-time codes"


def make(length: int = SHORTEST) -> str:
    """Digits, each code as likely as any other."""
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"A code has {SHORTEST} to {LONGEST} digits.")
    return f"{secrets.randbelow(10**length):0{length}}"


def digest(session: str, serial: int, code: str) -> str:
    """What is kept of a code: it proves a right answer and tells nothing without the key.
    Bound to its session and serial, so that equal codes do not look alike."""
    return _digest(next(_keys()), session, serial, code)


def matches(kept: str, session: str, serial: int, typed: str) -> bool:
    """Whether `typed` is the code of this digest, under any of the configured keys."""
    found = [hmac.compare_digest(_digest(key, session, serial, typed), kept) for key in _keys()]
    return bool(kept) and any(found)


def normalize(typed: str) -> str:
    """Without what only separates, full-width digits as plain ones. Never longer than what a
    code could be."""
    folded = unicodedata.normalize("NFKC", typed)
    kept = (character for character in folded if character.isalnum())
    return "".join(kept)[:LONGEST_READ]


def _keys() -> Iterator[bytes]:
    """Derived from the keys of the stored secrets, the current one first: while they are
    rotated, codes under way can still be checked."""
    for key in settings.SECRETS_KEYS:
        yield hmac.digest(key.encode(), PURPOSE, hashlib.sha256)


def _digest(key: bytes, session: str, serial: int, code: str) -> str:
    # Letters are not told apart by case: nobody can hear it.
    said = f"{session}\n{serial}\n{normalize(code).upper()}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
