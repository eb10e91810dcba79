"""Exports lists as CSV and XLSX that are safe to open in a spreadsheet.

A cell that a spreadsheet would read as a formula gets a leading apostrophe (CWE-1236). A plain
number, such as an international phone number with its plus sign, does not need one.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from tempfile import TemporaryFile
from typing import Any, Final

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.client_presence import ClientGone
from core.times import full_time

from .buttons import Button
from .export_slots import ExportSlot
from .list_export import Column as Column

FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 .]*")
CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XLSX forbids."""
MAX_CELL_LENGTH: Final = 32_000
"""Characters. Spreadsheets allow 32,767."""
PIECE: Final = 32 * 1024
"""Characters of a CSV that are sent at once."""
ROWS_BETWEEN_LOOKS: Final = 20
LONGEST_PAUSE: Final = 0.1
"""Seconds."""


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def requested_format(request: HttpRequest) -> Format:
    """The format in the URL of an export button. Raises `Http404` if it is unknown."""
    try:
        return Format(request.GET.get("format", Format.CSV))
    except ValueError:
        raise Http404 from None


def export_buttons(request: HttpRequest, url: str) -> list[Button]:
    """One button per format, which exports the rows that the list shows now."""
    query = request.GET.copy()
    found = []
    for format_ in Format:
        query["format"] = format_
        label = _("Export %(kind)s") % {"kind": format_.upper()}
        found.append(Button(label, f"{url}?{query.urlencode()}"))
    return found


def export(
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Any],
    format_: Format,
    slot: ExportSlot | None = None,
) -> HttpResponseBase:
    """The response that downloads `rows`. `name` is the file name without its suffix.

    It ends early if the client of `slot` has gone, and then releases the slot.
    """
    if slot is None:
        return _download(name, columns, rows, format_)
    try:
        response = _download(name, columns, _while_wanted(rows, slot), format_)
    except BaseException:
        slot.release()
        raise
    # Django closes what is listed here with the response.
    response._resource_closers.append(slot.release)  # type: ignore[attr-defined]
    return response


def _while_wanted(rows: Iterable[Any], slot: ExportSlot) -> Iterator[Any]:
    worked_until = time.thread_time()
    for number, row in enumerate(rows):
        if number % ROWS_BETWEEN_LOOKS == 0:
            if slot.client_has_gone():
                raise ClientGone
            # Other threads of the process wait for the interpreter: rest as long as the work took.
            time.sleep(min(time.thread_time() - worked_until, LONGEST_PAUSE))
            worked_until = time.thread_time()
        yield row


def _download(
    name: str, columns: Sequence[Column], rows: Iterable[Any], format_: Format
) -> HttpResponseBase:
    filename = file_name(name, timezone.now(), format_)
    table = _table(columns, rows)
    answer: HttpResponseBase
    if format_ is Format.CSV:
        answer = StreamingHttpResponse(_csv(table), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    else:
        answer = FileResponse(_xlsx(table), as_attachment=True, filename=filename)
    answer["Cache-Control"] = "no-store"
    return answer


def file_name(name: str, moment: datetime, format_: str) -> str:
    return f"{name}-{timezone.localtime(moment):%Y%m%d-%H%M%S}.{format_}"


def _table(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[list[str]]:
    yield [safe_cell(column.header) for column in columns]
    for row in rows:
        yield [safe_cell(column.value(row)) for column in columns]


def safe_cell(value: object) -> str:
    """A value as text that no spreadsheet evaluates. Times are in full, with their zone."""
    if value is None:
        return ""
    text = full_time(value) if isinstance(value, datetime) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")[:MAX_CELL_LENGTH]
    if text.lstrip(" ").startswith(FORMULA_PREFIXES) and not PLAIN_NUMBER.fullmatch(text):
        text = f"'{text}"
    return CONTROL_CHARACTERS.sub("␀", text)


BYTE_ORDER_MARK: Final = "\ufeff"
"""Tells spreadsheets that a CSV is UTF-8."""


def csv_lines(table: Iterable[list[str]]) -> str:
    """These rows as a part of a CSV, which begins with `BYTE_ORDER_MARK`."""
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(table)
    return lines.getvalue()


def _csv(table: Iterable[list[str]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL)
    try:
        for cells in table:
            writer.writerow(cells)
            if lines.tell() >= PIECE:
                yield lines.getvalue()
                lines.seek(0)
                lines.truncate()
    except ClientGone:
        return
    yield lines.getvalue()


def _xlsx(table: Iterable[list[str]]) -> Any:
    # Importing it takes long, and few processes need it.
    from .workbooks import write_workbook

    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        write_workbook(file, table)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
