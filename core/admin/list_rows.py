"""The rows of a list as markup.

The theme repeats its utility classes in every cell: five times the bytes, and half of a long list's
time. Here a cell has the name of its column as its class, and static/portal/lists.css the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import Model
from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.templatetags.unfold_list import result_headers
from unfold.utils import display_for_field, display_for_value

CHECKBOX: Final = "action_checkbox"
ANY_ROW: Final = "any-row"
FOCUSABLE: Final = ' tabindex="0"'


@dataclass(frozen=True, slots=True)
class Column:
    """What the cells of a column have in common."""

    opening: str
    closing: str
    shown: Callable[[Any], Any]
    is_link: bool
    """Whether a cell leads to the page of its row, unless it leads elsewhere."""


def headers_of(changelist: Any) -> list[dict[str, Any]]:
    return list(result_headers(changelist))


def rows_of(changelist: Any, headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """Each row of the page as a `<tr>`.

    The keyboard stops once in a row, at its first link. The row's own page has what else it links.
    """
    columns = _columns(changelist, headers)
    url_of = _urls(changelist)
    for row in changelist.result_list:
        parts = ['<tr class="data-row">']
        has_stop = False
        for column in columns:
            shown = column.shown(row)
            safe: str = shown if isinstance(shown, SafeString) else conditional_escape(shown)
            markup = safe.replace(FOCUSABLE, "")
            if column.is_link and "<a " not in markup:
                markup = f'<a href="{url_of(row)}">{markup}</a>'
            if has_stop:
                markup = markup.replace("<a ", '<a tabindex="-1" ')
            has_stop = has_stop or "<a " in markup
            parts += (column.opening, markup, column.closing)
        parts.append("</tr>\n")
        yield SafeString("".join(parts))


def _columns(changelist: Any, headers: list[dict[str, Any]]) -> list[Column]:
    links = changelist.list_display_links
    found: list[Column] = []
    is_first = True
    for name, header in zip(changelist.list_display, headers, strict=True):
        called = name.__name__ if callable(name) else name
        if called == CHECKBOX:
            found.append(_checkboxes())
            continue
        is_link = links is not None and (name in links or (is_first and not links))
        tag = "th" if is_link and is_first else "td"
        is_first = is_first and not is_link
        labelled = called in changelist.model_admin.labelled_columns
        label = format_html(' data-label="{}"', header["text"]) if labelled else ""
        opening = f'<{tag} class="field-{escape(called)}"{label}>'
        found.append(Column(opening, f"</{tag}>", _shown(changelist, name), is_link))
    return found


def _checkboxes() -> Column:
    """The boxes that choose rows. The theme renders a template for each of them."""
    label = escape(gettext("Select record"))
    return Column(
        f'<td class="action-checkbox"><input type="checkbox" name="{ACTION_CHECKBOX_NAME}" value="',
        f'" class="action-select" aria-label="{label}"></td>',
        lambda row: row.pk,
        is_link=False,
    )


def _shown(changelist: Any, name: Any) -> Callable[[Any], object]:
    """What the column shows of a row: a field's value, or what a function makes of the row."""
    admin = changelist.model_admin
    empty = admin.get_empty_value_display()
    if isinstance(name, str):
        try:
            field = changelist.lookup_opts.get_field(name)
        except FieldDoesNotExist:
            pass
        else:
            return _of_field(field, empty)
    make = name if callable(name) else getattr(admin, name, None)
    if make is None or name == "__str__":
        # An attribute or a method of the row.
        return lambda row: display_for_value(_called(getattr(row, name)), empty)
    is_boolean = getattr(make, "boolean", False)
    empty = getattr(make, "empty_value_display", empty)

    def of_function(row: Any) -> object:
        try:
            value = make(row)
        except ObjectDoesNotExist:
            return empty
        return value if isinstance(value, str) else display_for_value(value, empty, is_boolean)

    return of_function


def _of_field(field: Any, empty: str) -> Callable[[Any], object]:
    if field.is_relation:

        def of_relation(row: Any) -> object:
            value = getattr(row, field.name)
            return empty if value is None else value

        return of_relation
    return lambda row: display_for_field(getattr(row, field.attname), field, empty)


def _called(value: Any) -> Any:
    return value() if callable(value) else value


def _urls(changelist: Any) -> Callable[[Model], str]:
    """The address of each row's page, which returns to the list with its filters.

    They differ in the identifier alone, so that one look at the URL patterns is enough for all.
    """
    admin = changelist.model_admin
    whole = add_preserved_filters(
        {"preserved_filters": changelist.preserved_filters, "opts": changelist.opts},
        reverse(admin.url_name("change"), args=[ANY_ROW]),
    )
    start, end = (escape(part) for part in whole.split(ANY_ROW))
    name = "public_id" if admin.has_public_id else "pk"
    return lambda row: f"{start}{quote(str(getattr(row, name)))}{end}"
