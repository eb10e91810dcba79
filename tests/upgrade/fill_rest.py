"""Rows of models that no other filler knows, made from their fields alone.

So a new model has a row from its first day, and one for each of its states. Whatever needs a
likelier value than its field suggests has it in `LIKELY`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import time
from decimal import Decimal
from itertools import count
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone

_serial = count(1)

LIKELY: Final[dict[str, Any]] = {
    "mfa.Authenticator.type": "totp",
    "mfa.Authenticator.data": {"secret": ""},
    "figures.Figure.slot": 1_900_000,
    "core.ExportJob.kind": "messages",
}
"""By `app.Model.field`."""


def fill_rest(every: Iterable[type[models.Model]]) -> None:
    """Give a row in each state to every model that has none. Models come after those they need."""
    waiting = [model for model in every if not model._default_manager.exists()]
    while waiting:
        ready = [model for model in waiting if not _needs(model) & set(waiting)]
        if not ready:
            names = ", ".join(model._meta.label for model in waiting)
            raise AssertionError(f"These need each other: {names}")
        for model in ready:
            for state in states_of(model) or [""]:
                _make(model, {"state": state} if state else {})
        waiting = [model for model in waiting if model not in ready]


def states_of(model: type[models.Model]) -> list[str]:
    """The choices of a column named `state`."""
    for one in model._meta.local_concrete_fields:
        if one.name == "state" and one.choices:
            return [str(value) for value, _ in one.flatchoices]
    return []


def _needs(model: type[models.Model]) -> set[type[models.Model]]:
    return {
        one.related_model
        for one in _relations(model)
        if one.related_model is not model and not one.null
    }


def _relations(model: type[models.Model]) -> Iterator[Any]:
    for one in model._meta.local_concrete_fields:
        if one.is_relation:
            yield one


def _make(model: type[models.Model], fixed: dict[str, Any]) -> None:
    values = dict(fixed)
    for one in model._meta.local_concrete_fields:
        if one.name not in values and not isinstance(one, models.AutoField):
            values[one.name] = _value(model, one)
    with transaction.atomic():
        model._default_manager.bulk_create([model(**values)])


def _value(model: type[models.Model], one: Any) -> Any:
    key = f"{model._meta.label}.{one.name}"
    if key in LIKELY:
        return LIKELY[key]
    if one.is_relation:
        return _related(model, one)
    if one.choices:
        return one.flatchoices[0][0]
    if one.has_default():
        return one.get_default()
    return _by_kind(one)


def _related(model: type[models.Model], one: Any) -> Any:
    """The newest row that no other row is tied to, where only one may be."""
    found = one.related_model._default_manager.order_by("-pk")
    if one.unique:
        taken = model._default_manager.values(one.attname)
        found = found.exclude(pk__in=taken)
    if one.related_model is User:
        found = found.filter(username="chief")
    return None if one.null and one.related_model is model else found.first()


BY_KIND: Final[tuple[tuple[Any, Callable[[], Any]], ...]] = (
    (models.BooleanField, lambda: True),
    (models.DateTimeField, timezone.now),
    (models.TimeField, lambda: time(22, 30)),
    (models.GenericIPAddressField, lambda: "2001:db8::1"),
    (models.DecimalField, lambda: Decimal("0.5")),
    (models.UUIDField, uuid.uuid4),
    (models.JSONField, dict),
    (models.BinaryField, lambda: b"bytes"),
    ((models.IntegerField, models.FloatField), lambda: next(_serial)),
)


def _by_kind(one: Any) -> Any:
    for kind, make in BY_KIND:
        if isinstance(one, kind):
            return make()
    number = next(_serial)
    text = f"+861390{number:06}" if "number" in one.name else f"{one.name} {number}"
    return text[: one.max_length] if one.max_length else text
