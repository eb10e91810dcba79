"""Who sees the whole number, text and code of an object. Every page and every export asks here.

Each app registers the facts about its own objects. An object is shown whole to the people that its
app names, and to no one by virtue of having sent, cancelled or moved it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

OWN_VISIBLE_FOR: Final = timedelta(hours=12)
"""How long people see whole what they typed themselves, since the customer may call back."""

Reader: TypeAlias = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permissions that a kind of object asks for."""

    view: str
    """Without it, nothing of the object is shown."""
    reveal: str
    """With it, a reason reveals the object, and exports are whole. Empty: nobody may."""


@dataclass(frozen=True, slots=True)
class _Rule:
    permissions: Permissions
    people: Callable[[Any], frozenset[int | None]]


_rules: Final[dict[type[Model], _Rule]] = {}


def register(
    model: type[Model],
    permissions: Permissions,
    people: Callable[[Any], frozenset[int | None]],
) -> None:
    """`people` returns the ids of the people who see the given object whole now."""
    _rules[model] = _Rule(permissions, people)


def may_see_whole(obj: Model, reader: Reader) -> bool:
    """Whether pages show the whole object to this reader, without a reason and without a log."""
    rule = _rules[type(obj)]
    if reader.pk is None or reader.pk not in rule.people(obj):
        return False
    return reader.has_perm(rule.permissions.view)


def may_reveal(model: type[Model], reader: Reader) -> bool:
    """Whether this reader may reveal objects of `model`, giving a reason that is logged."""
    permissions = _rules[model].permissions
    return bool(permissions.reveal) and reader.has_perms((permissions.view, permissions.reveal))


def may_export_whole(obj: Model, reader: Reader) -> bool:
    """Whether a file shows the whole object. The download itself is logged."""
    if may_reveal(type(obj), reader):
        return True
    return not getattr(reader, "keeps_file", False) and may_see_whole(obj, reader)


def reader_of_kept_file(person: User, without: str = "") -> User:
    """This person as the reader of a file that is kept for days. Never save it.

    What people see whole for some hours only, because they typed it, is masked in such a file.
    `without`: a permission that does not count.
    """
    reader = copy(person)

    def has_perm(name: str, obj: Any = None) -> bool:
        return name != without and person.has_perm(name, obj)

    # A subclass of User would be a table of its own.
    vars(reader).update(keeps_file=True, has_perm=has_perm)
    return reader
