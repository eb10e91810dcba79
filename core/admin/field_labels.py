"""The names of changed fields in log entries that earlier versions wrote.

Django stored a field's English label in the entry and looks it up without a context, which the
labels of our fields have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext, pgettext

CONTEXT = "field"


def translate_fields(entries: Iterable[LogEntry]) -> None:
    """Translate the labels of changed fields in `entries`, which must not be saved afterwards."""
    for entry in entries:
        try:
            acts = json.loads(entry.change_message)
        except ValueError:
            continue  # a sentence
        if isinstance(acts, list):
            entry.change_message = json.dumps([_translated(act) for act in acts])


def _translated(act: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {
        name: {key: _labels(value) if key == "fields" else value for key, value in details.items()}
        for name, details in act.items()
    }


def _labels(fields: object) -> object:
    return [field_label(str(label)) for label in fields] if isinstance(fields, list) else fields


def field_label(label: str) -> str:
    """`label` in the current language. A form shows the name of a model's field capitalised."""
    for text in (label, label[:1].lower() + label[1:]):
        if (translated := pgettext(CONTEXT, text)) != text:
            return translated
    return gettext(label) if label else label
