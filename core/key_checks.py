"""The check values of this host's keys, and those that the database was set up with.

A check value is a keyed hash of a constant. It shows whether two hosts have the same key, and says
nothing else about it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .models import KeyCheck

SHOWN_DIGITS: Final = 8
"""How much of a check value people see."""


def check_value(name: str, key: str) -> str:
    """64 hexadecimal digits. `name`: the setting, so that one key has two different values."""
    constant = f"smsportal key check 1: {name}".encode()
    return hmac.new(_key_bytes(name, key), constant, hashlib.sha256).hexdigest()


def _key_bytes(name: str, key: str) -> bytes:
    if name == KeyCheck.Name.SECRETS_KEYS:
        try:
            return base64.urlsafe_b64decode(key)
        except (ValueError, binascii.Error):
            return key.encode()
    return key.encode()


def configured() -> dict[str, list[str]]:
    """The check values of this host's keys by setting, in the order of the setting."""
    try:
        secret_key = [str(settings.SECRET_KEY)]
    except ImproperlyConfigured:
        secret_key = []
    keys = {KeyCheck.Name.SECRET_KEY: secret_key, KeyCheck.Name.SECRETS_KEYS: settings.SECRETS_KEYS}
    return {str(name): [check_value(name, key) for key in found] for name, found in keys.items()}


def fallbacks() -> list[str]:
    """The check values of the keys that this host accepts beside its SECRET_KEY."""
    name = str(KeyCheck.Name.SECRET_KEY)
    return [check_value(name, key) for key in settings.SECRET_KEY_FALLBACKS]


def newest(name: str) -> str | None:
    """The check value of the key that became known last, with which other hosts sign."""
    rows = KeyCheck.objects.filter(name=name).order_by("-created_at", "-pk")
    return rows.values_list("digest", flat=True).first()


def known() -> dict[str, set[str]]:
    """The check values that the database knows, by setting."""
    found: dict[str, set[str]] = {str(name): set() for name in KeyCheck.Name.values}
    for name, digest in KeyCheck.objects.values_list("name", "digest"):
        found[name].add(digest)
    return found


def record(name: str, digests: Iterable[str]) -> None:
    for digest in digests:
        KeyCheck.objects.get_or_create(name=name, digest=digest)


def forget_former_keys() -> int:
    """Forget all but the first of SECRETS_KEYS, once nothing is encrypted with the others."""
    name = KeyCheck.Name.SECRETS_KEYS
    current = configured()[name][:1]
    return int(KeyCheck.objects.filter(name=name).exclude(digest__in=current).delete()[0])


def short(digest: str) -> str:
    return digest[:SHOWN_DIGITS]
