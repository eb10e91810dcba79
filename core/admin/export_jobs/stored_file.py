"""The file of a finished job, as a stream of its parts."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from core.acts import record_act
from core.client_presence import ClientGone
from core.models import ExportJob, ExportPart

from ..export_slots import ExportSlot, claim_slot
from ..exports import Format, file_name
from ..pages import NeedsPermission
from ..protocols import ModelPages
from ..workbooks import Pieces, joined_workbook
from .ask import admin_of
from .limits import State
from .list_request import list_request

CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NoFile(Exception):
    """The file is not finished, or gone."""


def rights_needed(job: ExportJob, person: User) -> tuple[str, ...]:
    """The permissions for this file that the person does not have now."""
    admin = admin_of(job.rows_of)
    declared = admin.list_export if admin is not None else None
    if admin is None or declared is None:
        return (job.rows_of,)
    needed = [declared.permission, *([declared.reveal] if job.is_whole else [])]
    missing = [name for name in needed if not person.has_perm(name)]
    if not admin.has_view_permission(list_request(admin, person, "")):
        missing.append(_view_permission(admin))
    return tuple(missing)


def _view_permission(admin: ModelPages) -> str:
    return f"{admin.opts.app_label}.view_{admin.opts.model_name}"


def download(request: HttpRequest, job: ExportJob, person: User) -> HttpResponseBase:
    """Raises `NoFile`, `NeedsPermission` and `ExportRefused`."""
    if missing := rights_needed(job, person):
        raise NeedsPermission(*missing)
    if job.state != State.READY or job.expires_at is None or job.expires_at <= timezone.now():
        raise NoFile
    slot = claim_slot(request)
    record_act(
        "export.download", by=person, subject=f"export:{job.pk}", rows=job.rows_of, count=job.rows
    )
    ExportJob.objects.filter(pk=job.pk).update(downloads=job.downloads + 1)
    format_ = Format(job.format)
    content = _csv(job) if format_ is Format.CSV else _workbook(job)
    answer = StreamingHttpResponse(
        _while_wanted(content, slot), content_type=CONTENT_TYPES[format_]
    )
    name = file_name(job.rows_of.split(".")[-1], job.asked_at, format_)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    # Django closes what is listed here with the response.
    answer._resource_closers.append(slot.release)  # type: ignore[attr-defined]
    return answer


def _while_wanted(content: Iterator[bytes], slot: ExportSlot) -> Iterator[bytes]:
    for piece in content:
        if slot.client_has_gone():
            raise ClientGone
        yield piece


def content_of(job: ExportJob) -> Iterator[bytes]:
    """The file in pieces, of which one is in memory at a time."""
    return _csv(job) if job.format == Format.CSV else _workbook(job)


def _csv(job: ExportJob) -> Iterator[bytes]:
    for number in range(job.parts):
        yield _content(job, number)


def _workbook(job: ExportJob) -> Iterator[bytes]:
    sheets: dict[int, list[tuple[int, int, int]]] = {}
    facts = ExportPart.objects.filter(job=job).order_by("number")
    for number, sheet, rows, size in facts.values_list("number", "sheet", "rows", "size"):
        sheets.setdefault(sheet, []).append((number, rows, size))
    if sum(map(len, sheets.values())) != job.parts:
        raise NoFile
    return joined_workbook(
        job.headings,
        [
            Pieces(
                sum(rows for _number, rows, _size in parts),
                sum(size for _number, _rows, size in parts),
                (_content(job, number) for number, _rows, _size in parts),
            )
            for parts in sheets.values()
        ],
    )


def _content(job: ExportJob, number: int) -> bytes:
    """One part. Without it, the download breaks off, so that nobody takes it for the whole."""
    data = ExportPart.objects.filter(job=job, number=number).values_list("data", flat=True).first()
    if data is None:
        raise NoFile
    return zlib.decompress(bytes(data))
