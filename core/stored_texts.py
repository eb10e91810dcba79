"""Texts that are stored as a key with values, and translated when they are shown.

A stored text is a JSON object such as {"key": "message.sent_again", "id": "x7"}. A value is a
string, a number, a list of them, or another such object. Staff's own words are stored as typed.
Whatever is no object with a known key is shown as it is, so rows of other versions stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NewType

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst

from .punctuation import listed

Stored = NewType("Stored", str)
"""What `StoredText.store` and `from_staff` return: the only texts to store in a log or as a
reason."""
Value = str | int | Sequence[str] | Mapping[str, object]

START: Final = '{"key": "'
"""How every stored text begins, and no text that staff typed."""

_texts: dict[str, Promise] = {}
_labels: dict[str, Callable[[str], str]] = {}


@dataclass(frozen=True, slots=True)
class StoredText:
    """A sentence with %(names)s for values. Its key is stored, so it never changes."""

    key: str
    text: Promise

    def store(self, **values: Value) -> Stored:
        return Stored(json.dumps({"key": self.key, **values}, ensure_ascii=False))

    def __str__(self) -> str:
        """The sentence itself, such as the label of a reason to choose."""
        return str(self.text)


def declare(key: str, text: Promise) -> StoredText:
    """Make a sentence known. Raises ValueError if the key has another one already."""
    if key in _texts:
        raise ValueError(f"The key {key} has a text already.")
    _texts[key] = text
    return StoredText(key, text)


def declared() -> Mapping[str, Promise]:
    """All keys with their sentences."""
    return _texts


def from_staff(text: str) -> Stored:
    """Words of staff, as typed. A blank keeps words that look like a stored text from being one."""
    return Stored(f" {text}" if text.startswith(START) else text)


def as_value(stored: str) -> Value:
    """A stored text or words of staff, as a value of another stored text."""
    found = _read(stored)
    return stored if found is None else found


def show(stored: str) -> str:
    """The sentence in the reader's language. Words of staff and unknown keys are left as stored."""
    found = _read(stored)
    return stored if found is None else render(found)


def is_known(stored: str) -> bool:
    """Whether this is a stored text with a known key."""
    found = _read(stored)
    return found is not None and found["key"] in _texts


def value_of(stored: str, name: str) -> str:
    """A value of a stored text, such as its `key`; empty if there is none."""
    found = _read(stored)
    return str(found.get(name, "")) if found is not None else ""


def values_of(stored: str) -> dict[str, object]:
    """All values of a stored text, with its `key`; empty if it is none."""
    return dict(_read(stored) or {})


def _read(stored: str) -> Mapping[str, object] | None:
    if not stored.startswith(START):
        return None
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("key"), str) else None


def render(value: object) -> str:
    """A value of a stored text in the reader's language."""
    if isinstance(value, list):
        return listed(map(render, value))
    if not isinstance(value, Mapping):
        return str(value)
    if NAMES_OF in value:
        return _render_names(value)
    text = _texts.get(str(value.get("key")))
    try:
        if text is not None:
            return str(text) % {name: render(each) for name, each in value.items()}
    except (KeyError, TypeError, ValueError):
        pass  # Another version stored other values.
    return json.dumps(value, ensure_ascii=False)


def object_name(obj: Model) -> str:
    """What a log entry calls an object, such as `messaging.message x7`: in no language."""
    return f"{obj._meta.label_lower} {getattr(obj, 'public_id', obj.pk)}"


# --- names of fields ---------------------------------------------------------

NAMES_OF: Final = "names_of"


def register_labels(kind: str, label: Callable[[str], str]) -> None:
    """Let `label` translate the names of `kind`, such as `account_form.haorui`, when shown."""
    _labels[kind] = label


def names(kind: str, found: Sequence[str]) -> Value:
    """Names of fields as a value of a stored text. `kind` is registered, or names a model."""
    return {NAMES_OF: kind, "names": list(found)}


def _render_names(value: Mapping[str, object]) -> str:
    kind, found = str(value[NAMES_OF]), value.get("names")
    label = _labels.get(kind) or partial(_label_of_model, kind)
    return render([label(str(name)) for name in found] if isinstance(found, list) else [])


def _label_of_model(model: str, name: str) -> str:
    try:
        field = apps.get_model(model)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return name
    return capfirst(str(getattr(field, "verbose_name", name)))
