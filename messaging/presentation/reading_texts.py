"""Words about how a file was read, and about what is unusual in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.countries import country_name
from core.punctuation import label_text, listed

from ..batches.importing.cell_places import letters
from ..batches.importing.encodings import label_of
from ..models import Batch

MAX_NAMES: Final = 6


@dataclass(frozen=True, slots=True)
class FileWarning:
    """One oddity that staff confirm."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """How one part of the file was read."""

    label: str
    value: str


def warnings_of(batch: Batch) -> list[FileWarning]:
    return [
        FileWarning(one["id"], *_WARNINGS[one["key"]](one["values"]))
        for one in batch.warnings
        if one["key"] in _WARNINGS
    ]


def facts_of(batch: Batch) -> list[Fact]:
    """The column, sheet, heading row, encoding and hidden rows that were read."""
    found = batch.findings or {}
    if not found or batch.number_column is None or batch.number_column >= len(batch.columns):
        return []
    facts = []
    if len(found["sheets"]) > 1:
        facts.append(Fact(pgettext("field", "Sheet"), sheet_text(found)))
    facts.append(Fact(_("Number column"), column_text(batch, batch.number_column)))
    heading = found["heading_row"]
    facts.append(
        Fact(_("Heading row"), _("Row %(row)s") % {"row": heading} if heading else _("No heading"))
    )
    if found.get("encoding"):
        facts.append(Fact(pgettext("field", "Encoding"), encoding_text(found)))
    if found.get("hidden_rows"):
        facts.append(Fact(_("Hidden rows"), hidden_text(found)))
    if found.get("merged"):
        facts.append(Fact(_("Merged cells"), merged_text(found)))
    return facts


def sheet_text(found: Mapping[str, Any]) -> str:
    sheets, index = found["sheets"], found["sheet"]
    values = {"name": sheets[index], "position": index + 1, "total": len(sheets)}
    return _("%(name)s (%(position)s of %(total)s)") % values


def column_text(batch: Batch, index: int) -> str:
    """The column's letter and its name, if it has one."""
    letter, name = letters(index), batch.columns[index]
    if name == letter:
        return letter
    return label_text(letter, name)


def encoding_text(found: Mapping[str, Any]) -> str:
    label = label_of(found["encoding"])
    if not found.get("is_guess"):
        return label
    return ngettext(
        "%(encoding)s, a guess from %(count)d byte beyond ASCII",
        "%(encoding)s, a guess from %(count)d bytes beyond ASCII",
        found["letters"],
    ) % {"encoding": label, "count": found["letters"]}


def hidden_text(found: Mapping[str, Any]) -> str:
    values = {"count": found["hidden_rows"], "rows": _ranges(found["hidden_ranges"])}
    if found["left_out_hidden"]:
        return _("%(count)d, left out (rows %(rows)s)") % values
    return _("%(count)d, included (rows %(rows)s)") % values


def merged_text(found: Mapping[str, Any]) -> str:
    values = {"places": _first_of(found["merged_places"], found["merged"])}
    if not found.get("merged_filled"):
        # A version before this one read the file.
        return _("%(places)s: only the first cell of each has a value.") % values
    return _("%(places)s: a value applies to all rows of its cell, in the first column.") % values


def _first_of(names: Iterable[object], total: int = 0) -> str:
    """Names in a row; the first ones, if there are many."""
    every = [str(name) for name in names]
    shown = listed(every[:MAX_NAMES])
    return f"{shown} …" if max(len(every), total) > MAX_NAMES else shown


def _ranges(ranges: Sequence[Sequence[int]]) -> str:
    return _first_of(f"{first}–{last}" if last > first else first for first, last in ranges)


# --- warnings ----------------------------------------------------------------

Words = tuple[str, str]


def _hidden_rows(values: Mapping[str, Any]) -> Words:
    title = ngettext(
        "%(count)d hidden row is included", "%(count)d hidden rows are included", values["count"]
    ) % {"count": values["count"]}
    text = _(
        "A filter or a person hid rows %(rows)s in the sheet. To leave them out, choose so above"
        " and check again."
    ) % {"rows": _ranges(values["ranges"])}
    return title, text


def _hidden_column(values: Mapping[str, Any]) -> Words:
    return (
        _("The number column “%(column)s” is hidden in the sheet") % values,
        _("Choose another column above if this one is not meant."),
    )


def _encoding(values: Mapping[str, Any]) -> Words:
    return (
        _("The encoding %(encoding)s is a guess") % values,
        _("The text uses values of this file. Compare the readings above."),
    )


def _column(values: Mapping[str, Any]) -> Words:
    return (
        _("No heading says that “%(column)s” contains phone numbers") % values,
        _("Other columns that could contain them: %(others)s.")
        % {"others": _first_of(values["others"])},
    )


def _zeros(values: Mapping[str, Any]) -> Words:
    title = ngettext(
        "%(count)d number ends in 0000", "%(count)d numbers end in 0000", values["count"]
    ) % {"count": values["count"]}
    text = _("A spreadsheet may have rounded them. First rows: %(rows)s.")
    return title, text % {"rows": _first_of(values["rows"])}


def _decimals(values: Mapping[str, Any]) -> Words:
    title = ngettext(
        "%(count)d number has a decimal point",
        "%(count)d numbers have a decimal point",
        values["count"],
    ) % {"count": values["count"]}
    text = _("A program stored them as decimals, so digits may be wrong. First rows: %(rows)s.")
    return title, text % {"rows": _first_of(values["rows"])}


def _north_american(values: Mapping[str, Any]) -> Words:
    title = ngettext(
        "%(count)d number is grouped as in North America but read as Chinese",
        "%(count)d numbers are grouped as in North America but read as Chinese",
        values["count"],
    ) % {"count": values["count"]}
    text = _(
        "If they belong to the United States or Canada, begin them with +1. First rows: %(rows)s."
    )
    return title, text % {"rows": _first_of(values["rows"])}


def _other_codes(values: Mapping[str, Any]) -> Words:
    title = ngettext(
        "%(count)d number is read as one of %(home)s, but its row names another country/region",
        "%(count)d numbers are read as ones of %(home)s, but their rows name another"
        " country/region",
        values["count"],
    ) % {"count": values["count"], "home": country_name(settings.HOME_COUNTRY)}
    text = _(
        "The country code is in a separate column, which is not read. Write it in front of the"
        " number, with +. First rows: %(rows)s."
    )
    return title, text % {"rows": _first_of(values["rows"])}


def _country(values: Mapping[str, Any]) -> Words:
    named = {
        **values,
        "country": country_name(values["country"]),
        "rows": _first_of(values["rows"]),
    }
    title = ngettext(
        "%(count)d of %(total)d recipients is in %(country)s",
        "%(count)d of %(total)d recipients are in %(country)s",
        values["count"],
    )
    if values["history"]:
        text = _(
            "Of this account's %(history)d most recent messages, %(recent)d were sent to"
            " %(country)s. First rows: %(rows)s."
        )
    else:
        text = _("This account has no recent messages to compare with. First rows: %(rows)s.")
    return title % named, text % named


_WARNINGS: Final[dict[str, Callable[[Mapping[str, Any]], Words]]] = {
    "hidden_rows": _hidden_rows,
    "hidden_column": _hidden_column,
    "encoding": _encoding,
    "column": _column,
    "zeros": _zeros,
    "decimals": _decimals,
    "north_american": _north_american,
    "other_codes": _other_codes,
    "country": _country,
}
