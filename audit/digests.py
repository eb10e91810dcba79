"""What seals are computed from, and the keys that they are made with.

The keys are derived from SECRETS_KEYS: the first one makes seals, any of them verifies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from core.key_checks import check_value, short

from .models import Seal

COLUMNS: Final = (
    "pk",
    "at",
    "by_id",
    "what",
    "subject",
    "reason",
    "details",
    "personal_digest",
)
"""The columns of an act that its seal covers."""
PURPOSE: Final = b"smsportal audit seal 1"


def digest_of_acts(rows: Iterable[tuple[Any, ...]]) -> str:
    """The digest of acts, each with the values of `COLUMNS`, in the order of their ids."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(_line(row))
    return digest.hexdigest()


def hash_of(seal: Seal) -> str:
    """What the next seal refers to, and what the key signs."""
    covered = (seal.number, seal.at, seal.count, seal.first, seal.last, seal.digest)
    return hashlib.sha256(_line((*covered, seal.previous, seal.lost))).hexdigest()


def sign(seal: Seal) -> None:
    """Set the hash of a seal that is otherwise complete, and sign it with the current key."""
    name, key = _keys()[0]
    seal.hash = hash_of(seal)
    seal.key, seal.mac = name, _mac(key, seal.hash)


def is_signed(seal: Seal) -> bool | None:
    """Whether the signature is right. None if this host no longer has the key."""
    keys = [key for name, key in _keys() if name == seal.key]
    if not keys:
        return None
    return any(hmac.compare_digest(_mac(key, seal.hash), seal.mac) for key in keys)


def _mac(key: bytes, hashed: str) -> str:
    return hmac.new(key, hashed.encode(), hashlib.sha256).hexdigest()


def _keys() -> list[tuple[str, bytes]]:
    return [
        (
            short(check_value("SECRETS_KEYS", key)),
            hmac.new(key.encode(), PURPOSE, hashlib.sha256).digest(),
        )
        for key in settings.SECRETS_KEYS
    ]


def _line(values: tuple[Any, ...]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, default=_moment)
    return text.encode() + b"\n"


def _moment(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no value of a seal.")
    return value.astimezone(UTC).isoformat(timespec="microseconds")
