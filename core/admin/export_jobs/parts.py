"""Make the parts of a file: read the next rows of a list by their keys, and write them."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.utils import timezone, translation

from core.fixed_moment import fix_moment
from core.models import ExportJob
from core.visibility import reader_of_kept_file

from ..actions import filters_logged
from ..changelist import open_changelist
from ..exports import BYTE_ORDER_MARK, Column, Format, csv_lines, safe_cell
from ..list_export import ListExport
from ..protocols import ModelPages
from ..workbooks import ROWS_OF_SHEET, rows_piece
from .ask import admin_of
from .limits import Reason
from .list_request import list_request

MOST_ROWS: Final = 2_000
"""Of a part."""
ROWS_AT_ONCE: Final = 500
LONGEST: Final = 5.0
"""Seconds after which a part is closed, even if it has room for more rows."""
LEVEL: Final = 1
"""Of compression: the fastest, since a part is read once or twice."""


class Refused(Exception):
    """The job cannot go on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MadePart:
    data: bytes
    """Compressed."""
    size: int
    rows: int
    sheet: int
    reached: str
    is_last: bool


class PartMaker:
    """Makes the parts of one job. Within `as_asked`, first call `begin`."""

    def __init__(self, job: ExportJob) -> None:
        # The queue's processes load no pages by themselves.
        import_module(settings.ROOT_URLCONF)
        admin = admin_of(job.rows_of)
        if admin is None:
            raise Refused(Reason.LIST)
        self.admin: ModelPages = admin
        self.declared: ListExport = admin.list_export  # type: ignore[assignment]
        self._job = job
        self._query = str(job.query.reveal()) if job.query else ""
        self._columns: Sequence[Column] = ()
        self._key = self.admin.model._meta.pk

    @property
    def query(self) -> QueryDict:
        return QueryDict(self._query)

    @property
    def filters_logged(self) -> str:
        return filters_logged(self.query)

    @contextmanager
    def as_asked(self) -> Iterator[None]:
        """The language, the time zone and the moment for relative dates of the person."""
        with (
            translation.override(self._job.language),
            timezone.override(ZoneInfo(self._job.time_zone)),
            fix_moment(self._job.asked_at),
        ):
            yield

    @property
    def may_be_whole(self) -> bool:
        return self._person.has_perm(self.declared.reveal)

    def begin(self) -> None:
        """Look at what the person may do now, and apply the filters. Raises `Refused`."""
        self._person = User.objects.get(pk=self._job.by_id)
        reader = reader_of_kept_file(
            self._person, without="" if self._job.is_whole else self.declared.reveal
        )
        request = list_request(self.admin, reader, self._query)
        allowed = self.admin.has_view_permission(request)
        if not (self._person.is_active and allowed and reader.has_perm(self.declared.permission)):
            raise Refused(Reason.RIGHTS)
        try:
            changelist = open_changelist(self.admin, request)
        except (Http404, IncorrectLookupParameters):
            raise Refused(Reason.LIST) from None
        self._columns = self.declared.columns(reader)
        self._rows: QuerySet[Any] = changelist.apply_select_related(changelist.root_queryset)
        found = changelist.queryset.order_by("-pk")
        self._found: QuerySet[Any] = (
            found.filter(pk__lte=self._key.to_python(self._job.newest))
            if self._job.newest
            else found.none()
        )

    @property
    def headings(self) -> list[str]:
        return [safe_cell(column.header) for column in self._columns]

    def count(self) -> int:
        return self._found.order_by().count()

    def make(self) -> MadePart:
        job = self._job
        sheet, above = divmod(job.rows, ROWS_OF_SHEET - 1)
        most = min(MOST_ROWS, ROWS_OF_SHEET - 1 - above)
        keys = self._next_keys(most)
        lines, done = self._lines(keys)
        if job.format == Format.XLSX:
            content = rows_piece(above + 1, lines)
        else:
            start = "" if job.parts else BYTE_ORDER_MARK + csv_lines([job.headings])
            content = (start + csv_lines(lines)).encode()
        return MadePart(
            data=zlib.compress(content, LEVEL),
            size=len(content),
            rows=len(lines),
            sheet=sheet,
            reached=str(keys[done - 1]) if done else job.reached,
            is_last=done == len(keys) < most,
        )

    def _next_keys(self, most: int) -> list[Any]:
        found = self._found
        if self._job.reached:
            found = found.filter(pk__lt=self._key.to_python(self._job.reached))
        return list(found.values_list("pk", flat=True)[:most])

    def _lines(self, keys: list[Any]) -> tuple[list[list[str]], int]:
        """The cells of the rows with these keys, and how many of the keys they are about."""
        until = time.monotonic() + LONGEST
        lines: list[list[str]] = []
        done = 0
        while done < len(keys) and (done == 0 or time.monotonic() < until):
            chunk = keys[done : done + ROWS_AT_ONCE]
            rows = {row.pk: row for row in self._rows.filter(pk__in=chunk).order_by()}
            self.admin.prepare_rows(list(rows.values()))
            lines += [
                [safe_cell(column.value(rows[key])) for column in self._columns]
                for key in chunk
                if key in rows
            ]
            done += len(chunk)
        return lines, done
