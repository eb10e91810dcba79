"""Reading the recipients of a batch into rows with a verdict; work for the queue.

One run at a time owns a batch. It writes its rows in chunks, each only while the batch is
still its own, so that a run that was given up for dead and comes back writes nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import chain, islice
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ...models import Batch, Message, StagedRow
from ..resend import originals_of
from ..states import BATCH_STATES, BatchState
from ..storage import StoredFile
from . import staged_rows
from .columns import SAMPLE, Columns, columns_of
from .file_errors import FileProblem, Unreadable
from .placeholders import Filled, Pattern
from .tables import Table, open_table
from .validate import Candidate, Checked, Checker
from .xlsx_values import NumberedRow

logger = logging.getLogger(__name__)

CHUNK: Final = 2_000
SILENT: Final = timedelta(seconds=60)
"""After so long without a sign of life a run is taken for dead."""
MOST_TRIES: Final = 3
B = BatchState


class _NotOurs(Exception):
    """Another run has taken over, or the batch was dropped."""


def run(batch_id: int) -> None:
    """Read the batch from the beginning, unless somebody else is at it."""
    taken = _take(batch_id)
    if taken is None:
        return
    batch, own = taken
    try:
        _read(batch, own)
    except _NotOurs:
        return
    except Unreadable as why:
        _end(batch, own, B.UNREADABLE, reason=why.problem, values=why.values)


def _take(batch_id: int) -> tuple[Batch, UUID] | None:
    own, now = uuid4(), timezone.now()
    free = Q(reading_run=None) | Q(reading_at__lt=now - SILENT)
    waiting = Batch.objects.filter(free, pk=batch_id, state=B.READING)
    if waiting.filter(reading_tries__gte=MOST_TRIES).exists():
        # It took its worker with it each time.
        BATCH_STATES.move(waiting, B.UNREADABLE, sources=(B.READING,), reason=FileProblem.GAVE_UP)
        return None
    taken = waiting.update(reading_run=own, reading_at=now, reading_tries=F("reading_tries") + 1)
    if not taken:
        return None
    return Batch.objects.select_related("account").get(pk=batch_id), own


def _read(batch: Batch, own: UUID) -> None:
    StagedRow.objects.filter(batch=batch).exclude(run=own).delete()
    checker = Checker(batch)
    if batch.source == Batch.Source.AGAIN:
        found = _again(batch, checker)
    else:
        found = _from_file(batch, checker, own)
    for rows in found:
        _write(batch, own, rows)
    figures = checker.tally.figures()
    if not figures["row_count"]:
        raise Unreadable(FileProblem.EMPTY)
    _end(batch, own, B.READY, reason="", values={}, **figures)


def _from_file(batch: Batch, checker: Checker, own: UUID) -> Iterator[list[Checked]]:
    table = open_table(lambda: StoredFile(batch), batch.file_name, batch.read_total)
    with closing(table):
        yield from _from_table(batch, checker, own, table)


def _from_table(batch: Batch, checker: Checker, own: UUID, table: Table) -> Iterator[list[Checked]]:
    sample = list(islice(table.rows, SAMPLE))
    if not sample:
        raise Unreadable(FileProblem.EMPTY)
    columns = columns_of(sample)
    number, pattern = _understood(batch, own, columns)
    body = chain(sample[1 if columns.has_heading else 0 :], table.rows)

    def fill(candidate: Candidate) -> Filled:
        return pattern.fill(candidate.cells)

    for chunk in _chunks(_counted(body)):
        candidates = [
            Candidate(row, cells[number] if number < len(cells) else "", cells)
            for row, cells in chunk
        ]
        yield checker.check(candidates, fill)
        _note_progress(batch, own, table)


def _understood(batch: Batch, own: UUID, columns: Columns) -> tuple[int, Pattern]:
    """Which column holds the numbers, and how the text is filled; or `Unreadable`."""
    number = columns.number if batch.number_column is None else batch.number_column
    _note(batch, own, columns=columns.names, number_column=number)
    named = ", ".join(columns.names)
    if number is None or number >= len(columns.names):
        raise Unreadable(FileProblem.NO_NUMBER_COLUMN, columns=named)
    pattern = Pattern(batch.text, columns.names)
    if pattern.unknown:
        unknown = ", ".join(pattern.unknown)
        raise Unreadable(FileProblem.UNKNOWN_COLUMNS, unknown=unknown, columns=named)
    return number, pattern


def _counted(rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    for count, row in enumerate(rows, start=1):
        if count > settings.BATCH_ROWS:
            raise Unreadable(FileProblem.TOO_MANY_ROWS, most=settings.BATCH_ROWS)
        yield row


def _again(batch: Batch, checker: Checker) -> Iterator[list[Checked]]:
    """Messages that did not arrive, each with the text that it had."""
    for numbered in _chunks(enumerate(originals_of(batch), start=1)):
        texts = {message.pk: message for _, message in numbered}

        def fill(candidate: Candidate, texts: dict[int, Message] = texts) -> Filled:
            original = texts[candidate.again_from or 0]
            return Filled(original.text, original.encoding, original.segments)

        candidates = [
            Candidate(number, message.recipient, [], message.pk) for number, message in numbered
        ]
        yield checker.check(candidates, fill)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _write(batch: Batch, own: UUID, rows: list[Checked]) -> None:
    with transaction.atomic():
        if not _mine(batch, own).update(reading_at=timezone.now()):
            raise _NotOurs
        staged_rows.insert(batch, own, rows)


def _note(batch: Batch, own: UUID, **changes: Any) -> None:
    if not _mine(batch, own).update(reading_at=timezone.now(), **changes):
        raise _NotOurs


def _note_progress(batch: Batch, own: UUID, table: Table) -> None:
    done = table.done()
    _note(batch, own, read_done=done, read_total=max(table.total, done) if table.total else 0)


def _end(batch: Batch, own: UUID, state: BatchState, **changes: Any) -> None:
    BATCH_STATES.move(_mine(batch, own), state, sources=(B.READING,), reading_run=None, **changes)


def _mine(batch: Batch, own: UUID) -> Any:
    return Batch.objects.filter(pk=batch.pk, reading_run=own, state=B.READING)


def abandoned() -> list[int]:
    """Batches that nobody reads any more."""
    long_ago = timezone.now() - SILENT
    silent = Q(reading_at__lt=long_ago) | Q(reading_at=None, created_at__lt=long_ago)
    waiting = Batch.objects.filter(silent, state=B.READING)
    return list(waiting.values_list("pk", flat=True))
