"""The encrypted secrets of second factors, for the rotation of keys.

The library keeps them inside a JSON column. With a key that no longer reads them, nobody who has a
factor could sign in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db import transaction

from core.encrypted_columns import ForeignTokens

NAMES: Final = ("secret", "seed")
"""Of an authenticator app, and of recovery codes."""


def tokens() -> Iterator[tuple[tuple[int, str], str]]:
    for factor in Authenticator.objects.order_by("pk").iterator():
        for name in NAMES:
            if token := factor.data.get(name):
                yield (factor.pk, name), token


def replace(key: Any, token: str, rotated: str) -> bool:
    pk, name = key
    with transaction.atomic():
        factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if factor is None or factor.data.get(name) != token:
            return False
        factor.data[name] = rotated
        factor.save(update_fields=["data"])
    return True


FACTOR_SECRETS: Final = ForeignTokens("mfa.Authenticator.data", tokens, replace)
