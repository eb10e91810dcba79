"""Keyed hashes of phone numbers: they show that a number is the same, and nothing else.

The key is derived from `SECRETS_KEYS`. A hash that an older key made is still recognised.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"smsportal number digest 1"
SUBJECT_LENGTH: Final = 16
"""Digits of a hash in the subject of an act, which only has to tell numbers apart."""


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    made: bytes = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(
        base64.urlsafe_b64decode(secret)
    )
    return made


def digest_of(number: str) -> str:
    """The hash of a number (E.164), in hexadecimal, by the newest key."""
    return digests_of(number)[0]


def digests_of(number: str) -> list[str]:
    """The hash of a number by each key, the newest first."""
    return [
        hmac.new(_key(secret), number.encode(), sha256).hexdigest()
        for secret in settings.SECRETS_KEYS
    ]


def matching(numbers: Iterable[str], digests: Collection[str]) -> set[str]:
    """Those of `numbers` (E.164) whose hash is among `digests`, by any key."""
    wanted = frozenset(map(bytes.fromhex, digests))
    keys = [_key(secret) for secret in settings.SECRETS_KEYS]
    return {
        number
        for number in numbers
        if any(hmac.digest(key, number.encode(), "sha256") in wanted for key in keys)
    }


def subject_of(number: str) -> str:
    """The subject of an act that concerns a number."""
    return f"number:{digest_of(number)[:SUBJECT_LENGTH]}"
