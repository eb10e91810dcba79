"""Every column that holds encrypted text, and what the configured keys can read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import models

from .fields import EncryptedField, StoredSecret, UnreadableSecret, decrypt

CHUNK: Final = 500


@dataclass(frozen=True)
class ForeignTokens:
    """Encrypted values that a library keeps inside columns of its own."""

    name: str
    tokens: Callable[[], Iterator[tuple[Any, str]]]
    """The key and the value of each."""
    replace: Callable[[Any, str, str], bool]
    """Replace the value of this key, unless it has changed. False if it has."""


foreign_tokens: Final[list[ForeignTokens]] = []
"""`rotate_keys` encrypts these again as well. Apps add theirs when the portal starts."""


@dataclass
class Readable:
    """How many values there are, and how many of them no configured key can read."""

    total: int = 0
    unreadable: int = 0

    def __add__(self, other: Readable) -> Readable:
        return Readable(self.total + other.total, self.unreadable + other.unreadable)


def encrypted_columns() -> Iterator[tuple[type[models.Model], EncryptedField]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        for column in model._meta.local_concrete_fields:
            if isinstance(column, EncryptedField):
                yield model, column


def tokens_of(model: type[models.Model], column: EncryptedField) -> Iterator[tuple[Any, str]]:
    """The primary key and encrypted value of each row that has one, read in chunks."""
    rows = model._base_manager.order_by("pk")
    last: Any = None
    while True:
        following = rows if last is None else rows.filter(pk__gt=last)
        chunk = list(following.values_list("pk", column.attname)[:CHUNK])
        if not chunk:
            return
        for pk, secret in chunk:
            if isinstance(secret, StoredSecret):
                yield pk, secret.token
        last = chunk[-1][0]


def count_readable(model: type[models.Model], column: EncryptedField) -> Readable:
    """Try to read each value of one column."""
    found = Readable()
    for _, token in tokens_of(model, column):
        found.total += 1
        try:
            decrypt(token)
        except UnreadableSecret:
            found.unreadable += 1
    return found
