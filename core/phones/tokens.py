"""Opaque tokens for phone numbers, so that no number stands in an address.

A token is the number, encrypted and authenticated deterministically (AES-SIV, RFC 5297) with a key
that is derived from `SECRETS_KEYS`. So nothing is stored for it, and one number has one token until
the first key changes. Older keys still read their tokens.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"smsportal number token 1"
LONGEST: Final = 700
"""Characters of a token. The longest number that a provider states has 100."""


class BadToken(ValueError):
    """No configured key has made this token."""


@lru_cache(maxsize=8)
def _cipher(key: str) -> AESSIV:
    secret = base64.urlsafe_b64decode(key)
    return AESSIV(HKDF(SHA256(), length=64, salt=None, info=_PURPOSE).derive(secret))


def token_of(number: str) -> str:
    """The token of a number as it is stored, such as E.164."""
    sealed = _cipher(settings.SECRETS_KEYS[0]).encrypt(number.encode(), None)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def number_in(token: str) -> str:
    """The number of a token. Raises `BadToken`."""
    if len(token) > LONGEST:
        raise BadToken
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise BadToken from None
    for key in settings.SECRETS_KEYS:
        try:
            return _cipher(key).decrypt(sealed, None).decode()
        except (InvalidTag, UnicodeError, ValueError):
            continue
    raise BadToken
