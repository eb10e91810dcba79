"""Declares what a list exports: `list_export = ListExport("messages", columns)` of its admin.

The list then has a button for each format, and the page "export". A short list is downloaded at
once, a longer one becomes a job (`export_jobs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from core.stored_texts import StoredText, declare

from .buttons import Text

PERMISSION: Final = "core.export_list"
EXPORTED: Final = declare(
    "list.exported", _("Exported as %(format)s, rows: %(count)s, filters: %(filters)s")
)


@dataclass(frozen=True)
class Column:
    header: Text
    value: Callable[[Any], object]


Columns: TypeAlias = Callable[[User], Sequence[Column]]
"""The columns for a reader. They mask what the reader must not see."""


@dataclass(frozen=True)
class ListExport:
    name: str
    """The name of the file, without date and suffix."""
    columns: Columns
    permission: str = PERMISSION
    """Beside the permission to see the list."""
    reveal: str = ""
    """The permission with which the columns show whole what the list masks."""
    logged: StoredText = EXPORTED
    """May state `format`, `count` and `filters`."""


def fields(model: type[Model], *names: str) -> Columns:
    """Columns of plain fields that hide nothing from anybody who sees the list."""

    def columns(_reader: User) -> list[Column]:
        return [_column(model, name) for name in names]

    return columns


def _column(model: type[Model], name: str) -> Column:
    field: Any = model._meta.get_field(name)
    shown = f"get_{name}_display"

    def value(row: Any) -> object:
        found = getattr(row, shown)() if hasattr(row, shown) else getattr(row, name)
        return yes_or_no(found) if isinstance(found, bool) else found

    return Column(capfirst(str(field.verbose_name)), value)


def yes_or_no(value: bool) -> str:
    return pgettext("value", "yes") if value else pgettext("value", "no")
