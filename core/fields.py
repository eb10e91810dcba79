"""A model field for text that is encrypted at rest and read back as a `Secret`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from .secrets import Secret

if TYPE_CHECKING:
    AnyTextField = models.TextField[Any, Any]
else:
    AnyTextField = models.TextField


class UnreadableSecret(Exception):
    """None of the configured keys can decrypt a stored secret."""

    def __init__(self) -> None:
        super().__init__("This stored secret cannot be decrypted with the configured keys.")


@lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("SECRETS_KEYS holds no key; see .env.example.")
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Encrypts with the first of `SECRETS_KEYS` and decrypts with any of them."""
    return _cipher(tuple(settings.SECRETS_KEYS))


def decrypt(token: str) -> str:
    """Decrypt a token. Raises `UnreadableSecret`."""
    try:
        return cipher().decrypt(token.encode("ascii")).decode("utf-8")
    except (InvalidToken, UnicodeError):
        raise UnreadableSecret from None


class StoredSecret(Secret):
    """A secret as read from the database, still encrypted."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        super().__init__(lambda: decrypt(token))
        self.token = token


DUMP_PREFIX: Final = "encrypted:"
"""Marks an encrypted value in a dump, so that loading does not encrypt it again."""


class EncryptedField(AnyTextField):
    """Accepts `str` or `Secret`, stores a Fernet token, and returns a `Secret`.

    The empty string stays empty, because "no secret" needs no key. The field cannot be searched.
    Saving a value that was read does not encrypt it again; `rotate_keys` does.
    """

    description = "Encrypted text"
    # The types that type checkers accept for assignment and infer for reading.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: object) -> Secret | None:
        return StoredSecret(value) if value else None

    def to_python(self, value: object) -> object:
        if not isinstance(value, str) or not value:
            return value
        if value.startswith(DUMP_PREFIX):
            return StoredSecret(value.removeprefix(DUMP_PREFIX))
        return Secret(value)

    def get_prep_value(self, value: object) -> object:
        if value is None or value == "":
            return "" if not self.null else None
        if isinstance(value, StoredSecret):
            return value.token
        if isinstance(value, Secret):
            return cipher().encrypt(value.reveal().encode("utf-8")).decode("ascii")
        if isinstance(value, str):
            return cipher().encrypt(value.encode("utf-8")).decode("ascii")
        return value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        # bulk_update passes expressions, which must be compiled, not encrypted.
        if hasattr(value, "resolve_expression"):
            return value
        return self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """The encrypted form, so that a dump can be loaded again."""
        token = self.get_prep_value(self.value_from_object(obj))
        return f"{DUMP_PREFIX}{token}" if token else ""

    def get_lookup(self, lookup_name: str) -> Any:
        # Encryption is randomised, so only presence can be tested.
        return super().get_lookup(lookup_name) if lookup_name in ("isnull", "exact") else None
