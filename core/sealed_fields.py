"""Model fields whose values are encrypted at rest, and plain for all code that reads them.

They read values of both kinds. What is new is encrypted only if `ENCRYPT_FILES` says so, since the
version before reads plain values only. The database cannot search them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models

from .fields import UnreadableSecret, cipher

MARK: Final = "sealed:1:"
"""How a stored value begins that is encrypted."""
_BINARY_MARK: Final = b"\x00" + MARK.encode() + b"\x00"
CHUNK: Final = 500

if TYPE_CHECKING:
    AnyText = models.TextField[Any, Any]
    AnyBinary = models.BinaryField[Any, Any]
else:
    AnyText, AnyBinary = models.TextField, models.BinaryField


def seal(text: str) -> str:
    """The text as it is stored. An empty one needs no key.

    A plain text that looks like an encrypted one is always encrypted.
    """
    if not text or not (settings.ENCRYPT_FILES or text.startswith(MARK)):
        return text
    return MARK + cipher().encrypt(text.encode()).decode("ascii")


def unseal(stored: str) -> str:
    """Raises `UnreadableSecret`."""
    if not stored.startswith(MARK):
        return stored
    try:
        return cipher().decrypt(stored.removeprefix(MARK).encode("ascii")).decode()
    except (InvalidToken, UnicodeError):
        raise UnreadableSecret from None


class SealedText(AnyText):
    # The types that type checkers accept for assignment and infer for reading.
    _pyi_private_set_type: str
    _pyi_private_get_type: str

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return None if value is None else unseal(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return seal(value) if isinstance(value, str) else value


class SealedJSON(models.JSONField):
    """Sealed, a value is a JSON string with the encrypted JSON in it."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        if isinstance(found, str) and found.startswith(MARK):
            return json.loads(unseal(found))
        return found

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return super().get_db_prep_save(value, connection)
        return super().get_db_prep_save(seal_json(value), connection)


def seal_json(value: Any) -> Any:
    """What is stored as JSON instead of a value."""
    return seal(json.dumps(value, ensure_ascii=False)) if settings.ENCRYPT_FILES else value


class SealedBytes(AnyBinary):
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: Any, *_: object) -> bytes | None:
        if value is None:
            return None
        stored = bytes(value)
        if not stored.startswith(_BINARY_MARK):
            return stored
        try:
            return cipher().decrypt(stored.removeprefix(_BINARY_MARK))
        except InvalidToken:
            raise UnreadableSecret from None

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value and not hasattr(value, "resolve_expression"):
            plain = bytes(value)
            if settings.ENCRYPT_FILES or plain.startswith(_BINARY_MARK):
                value = _BINARY_MARK + cipher().encrypt(plain)
        return super().get_db_prep_save(value, connection)


Sealed = SealedText | SealedJSON | SealedBytes


def sealed_models() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model with such columns, and their names."""
    for model in apps.get_models():
        own = [field for field in model._meta.local_concrete_fields if isinstance(field, Sealed)]
        if own and not model._meta.proxy:
            yield model, [field.attname for field in own]


def seal_again(model: type[models.Model], columns: list[str]) -> tuple[int, int]:
    """Encrypt all values of a model with the first key.

    Returns how many rows were written, and how many no key can read. Rows are written one at a
    time, and one that was deleted meanwhile stays deleted.
    """
    written = unreadable = 0
    keys = model._base_manager.order_by("pk").values_list("pk", flat=True)
    last = None
    while chunk := list((keys if last is None else keys.filter(pk__gt=last))[:CHUNK]):
        for pk in chunk:
            own = model._base_manager.filter(pk=pk)
            try:
                values = own.values(*columns).first()
            except UnreadableSecret:
                unreadable += 1
                continue
            written += own.update(**values) if values else 0
        last = chunk[-1]
    return written, unreadable
