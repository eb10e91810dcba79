"""Lists as CSV and XLSX, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (CWE-1236);
an international phone number keeps its plus sign, since it is nothing else than that.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from tempfile import TemporaryFile
from typing import Any, Final

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.times import full_time

from .buttons import Button, Text

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 .]*")
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no XLSX may hold."""
MAX_CELL_LENGTH: Final = 32_000
"""Characters; a spreadsheet takes 32,767."""


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def requested_format(request: HttpRequest) -> Format:
    """What `export_buttons` put into the address."""
    try:
        return Format(request.GET.get("format", Format.CSV))
    except ValueError:
        raise Http404 from None


@dataclass(frozen=True)
class Column:
    header: Text
    value: Callable[[Any], object]


def export_buttons(request: HttpRequest, address: str) -> list[Button]:
    """The addresses of what a list shows now, as files."""
    query = request.GET.copy()
    found = []
    for format_ in Format:
        query["format"] = format_
        label = _("Export %(kind)s") % {"kind": format_.upper()}
        found.append(Button(label, f"{address}?{query.urlencode()}"))
    return found


def export(
    name: str, columns: Sequence[Column], rows: Iterable[Any], format_: Format
) -> HttpResponseBase:
    """The answer that downloads `rows`; `name` is the file's, without its ending."""
    filename = f"{name}-{timezone.localtime():%Y%m%d-%H%M%S}.{format_}"
    table = _table(columns, rows)
    answer: HttpResponseBase
    if format_ is Format.CSV:
        answer = StreamingHttpResponse(_csv(table), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    else:
        answer = FileResponse(_xlsx(table), as_attachment=True, filename=filename)
    answer["Cache-Control"] = "no-store"
    return answer


def _table(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[list[str]]:
    yield [safe_cell(column.header) for column in columns]
    for row in rows:
        yield [safe_cell(column.value(row)) for column in columns]


def safe_cell(value: object) -> str:
    """A value as text that no spreadsheet runs. Times are full, with their zone."""
    if value is None:
        return ""
    text = full_time(value) if isinstance(value, datetime) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")[:MAX_CELL_LENGTH]
    if text.lstrip(" ").startswith(FORMULA) and not PLAIN_NUMBER.fullmatch(text):
        text = f"'{text}"
    return CONTROL.sub("␀", text)


def _csv(table: Iterable[list[str]]) -> Iterator[str]:
    # The mark tells spreadsheets that this is UTF-8.
    yield "\ufeff"
    line = io.StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_ALL)
    for cells in table:
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _xlsx(table: Iterable[list[str]]) -> Any:
    # Loading it takes a tenth of a process's start, and few processes meet a workbook.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in table:
        line = []
        for text in cells:
            # Text and nothing else: neither a formula nor a number that loses its digits.
            written = WriteOnlyCell(sheet, value=text)
            written.data_type = "s"
            line.append(written)
        sheet.append(line)
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file
