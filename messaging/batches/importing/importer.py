"""Read the recipients of a batch into staged rows. Runs in the queue.

1. A run claims the batch and stores its own id in `reading_run`.
2. It writes the rows in chunks. Each write first checks that the batch still has this id, so a
   run that was presumed dead and resumes later writes nothing more.
3. It ends the reading as ready or unreadable.
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

from core.memory_limit import memory_limit
from providers import clock

from ...models import Batch, Message, StagedRow
from ..choices import Choices
from ..resend import originals_of
from ..states import BATCH_STATES, BatchState
from ..storage import StoredFile
from . import staged_rows
from .code_columns import code_column_of
from .columns import SAMPLE, Columns, columns_of, is_rounded
from .file_errors import FileProblem, Unreadable
from .findings import add_results, findings_of, sample_of
from .placeholders import FilledText, Pattern
from .tables import Table, open_table
from .validate import Candidate, CheckedRow, RowChecker
from .xlsx_values import NumberedRow

logger = logging.getLogger(__name__)

CHUNK: Final = 2_000
ABANDONED_AFTER: Final = timedelta(seconds=60)
"""A run that has not updated `reading_at` for this long is presumed dead."""
MAX_TRIES: Final = 3
MAX_MEMORY: Final = 768 * 1024 * 1024
"""Bytes that a reading may take. The limits of each format end it far earlier, if they hold."""
B = BatchState


class _OwnershipLost(Exception):
    """Another run has taken over, or the batch was cancelled."""


def run(batch_id: int) -> None:
    """Read the batch from the beginning, unless another run is reading it."""
    claim = _claim(batch_id)
    if claim is None:
        return
    batch, run_id = claim
    try:
        with memory_limit(MAX_MEMORY):
            _read(batch, run_id)
    except _OwnershipLost:
        return
    except Unreadable as why:
        _finish(batch, run_id, B.UNREADABLE, reason=why.problem, values=why.values)
    except MemoryError:
        logger.warning("Reading batch %s took too much memory.", batch.pk)
        _finish(batch, run_id, B.UNREADABLE, reason=FileProblem.UNREADABLE, values={})


def _claim(batch_id: int) -> tuple[Batch, UUID] | None:
    run_id, now = uuid4(), clock.now()
    free = Q(reading_run=None) | Q(reading_at__lt=now - ABANDONED_AFTER)
    waiting = Batch.objects.filter(free, pk=batch_id, state=B.READING)
    if waiting.filter(reading_tries__gte=MAX_TRIES).exists():
        # Each try killed its worker.
        BATCH_STATES.move(waiting, B.UNREADABLE, sources=(B.READING,), reason=FileProblem.GAVE_UP)
        return None
    claimed = waiting.update(
        reading_run=run_id, reading_at=now, reading_tries=F("reading_tries") + 1
    )
    if not claimed:
        return None
    return Batch.objects.select_related("account").get(pk=batch_id), run_id


def _read(batch: Batch, run_id: UUID) -> None:
    StagedRow.objects.filter(batch=batch).exclude(run=run_id).delete()
    checker = RowChecker(batch)
    if batch.source == Batch.Source.AGAIN:
        chunks = _from_originals(batch, checker)
    else:
        chunks = _from_file(batch, checker, run_id)
    for rows in chunks:
        _write(batch, run_id, rows)
    figures = checker.tally.figures()
    if not figures["row_count"]:
        raise Unreadable(FileProblem.EMPTY)
    results = {"findings": batch.findings, "check_run": run_id}
    # A file without oddities needs no confirmation.
    results["accepted_run"] = None if batch.warnings else run_id
    _finish(batch, run_id, B.READY, reason="", values={}, **results, **figures)


def _from_file(batch: Batch, checker: RowChecker, run_id: UUID) -> Iterator[list[CheckedRow]]:
    choices = Choices.of(batch.choices)
    table = open_table(lambda: StoredFile(batch), batch.file_name, batch.read_total, choices)
    with closing(table):
        yield from _from_table(batch, checker, run_id, table, choices)


def _from_table(
    batch: Batch, checker: RowChecker, run_id: UUID, table: Table, choices: Choices
) -> Iterator[list[CheckedRow]]:
    sample = list(islice(table.rows, SAMPLE))
    if not sample:
        raise Unreadable(FileProblem.EMPTY)
    facts = table.facts()
    columns = columns_of(
        sample,
        heading_row=choices.heading_row,
        hidden=facts.hidden_columns,
        merges=facts.merges,
    )
    found = findings_of(table, columns, sample, choices)
    found["is_chosen"] = batch.number_column is not None
    _update(batch, run_id, findings=found, sample=sample_of(table, columns, sample))
    number, pattern = _resolve_columns(batch, run_id, columns)
    checker.oddities.code_column = code_column_of(columns.names, number)
    body = sample[0 if columns.heading is None else columns.heading + 1 :]
    if is_rounded([cells for _, cells in body], number):
        checker.refuse_rounded()

    def fill(candidate: Candidate) -> FilledText:
        return pattern.fill(candidate.cells)

    # Which of the rows of a merged number holds what the person should read is not known.
    merged = table.facts().merges.rows_of if pattern.has_placeholders else lambda row, column: None

    for chunk in _chunks(_limited(chain(body, table.rows))):
        candidates = [
            Candidate(
                row,
                cells[number] if number < len(cells) else "",
                cells,
                merged_rows=merged(row, number),
            )
            for row, cells in chunk
        ]
        yield checker.check(candidates, fill)
        _record_progress(batch, run_id, table)
    batch.number_column, batch.columns = number, columns.names
    batch.findings = add_results(
        found, batch, table, checker.oddities, fills=pattern.has_placeholders
    )


def _resolve_columns(batch: Batch, run_id: UUID, columns: Columns) -> tuple[int, Pattern]:
    """The number column and the text's pattern. Raises `Unreadable` if either does not fit."""
    number = columns.number if batch.number_column is None else batch.number_column
    _update(batch, run_id, columns=columns.names, number_column=number)
    names = columns.names
    if number is None or number >= len(names):
        raise Unreadable(FileProblem.NO_NUMBER_COLUMN, columns=names)
    pattern = Pattern(batch.text, names)
    if pattern.unknown:
        raise Unreadable(FileProblem.UNKNOWN_COLUMNS, unknown=pattern.unknown, columns=names)
    if pattern.lookalikes:
        written = list(dict.fromkeys(one.written for one in pattern.lookalikes))
        first = pattern.lookalikes[0].column
        raise Unreadable(FileProblem.LOOKALIKES, written=written, column=first)
    return number, pattern


def _limited(rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    for count, row in enumerate(rows, start=1):
        if count > settings.BATCH_ROWS:
            raise Unreadable(FileProblem.TOO_MANY_ROWS, most=settings.BATCH_ROWS)
        yield row


def _from_originals(batch: Batch, checker: RowChecker) -> Iterator[list[CheckedRow]]:
    """Check undelivered messages again, each with its original text."""
    for numbered in _chunks(enumerate(originals_of(batch), start=1)):
        texts = {message.pk: message for _, message in numbered}

        def fill(candidate: Candidate, texts: dict[int, Message] = texts) -> FilledText:
            original = texts[candidate.again_from or 0]
            return FilledText(original.text, original.encoding, original.segments)

        candidates = [
            Candidate(number, message.recipient, [], message.pk) for number, message in numbered
        ]
        yield checker.check(candidates, fill)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _write(batch: Batch, run_id: UUID, rows: list[CheckedRow]) -> None:
    with transaction.atomic():
        if not _owned(batch, run_id).update(reading_at=clock.now()):
            raise _OwnershipLost
        staged_rows.insert(batch, run_id, rows)


def _update(batch: Batch, run_id: UUID, **changes: Any) -> None:
    if not _owned(batch, run_id).update(reading_at=clock.now(), **changes):
        raise _OwnershipLost


def _record_progress(batch: Batch, run_id: UUID, table: Table) -> None:
    done = table.bytes_read()
    _update(batch, run_id, read_done=done, read_total=max(table.total, done) if table.total else 0)


def _finish(batch: Batch, run_id: UUID, state: BatchState, **changes: Any) -> None:
    BATCH_STATES.move(
        _owned(batch, run_id),
        state,
        sources=(B.READING,),
        reading_run=None,
        reading_at=clock.now(),
        **changes,
    )


def _owned(batch: Batch, run_id: UUID) -> Any:
    return Batch.objects.filter(pk=batch.pk, reading_run=run_id, state=B.READING)


def abandoned_batches() -> list[int]:
    """Batches whose reading was never started or whose run is presumed dead."""
    long_ago = clock.now() - ABANDONED_AFTER
    silent = Q(reading_at__lt=long_ago) | Q(reading_at=None, created_at__lt=long_ago)
    waiting = Batch.objects.filter(silent, state=B.READING)
    return list(waiting.values_list("pk", flat=True))
