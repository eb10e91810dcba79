"""Bring the roll-up up to date: count each marked slot anew.

A mark is deleted only if no change has been added to it since it was read, so a change during the
count leaves the slot marked. One process counts at a time; an older count could otherwise replace
a newer one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from providers import clock

from .counted_tables import Source
from .models import Figure, Mark, RollUp
from .sources import figures_of, kinds_of

LOCK_ID: Final = 7_305_829_442
"""Any number that no other program uses for an advisory lock in the same database."""
LONGEST_RUN: Final = 20.0
"""Seconds. The rest of the marks waits for the next run."""
NEAR: Final = 2
AT_ONCE: Final = 300
"""Slots that are counted in one transaction."""


def bring_up_to_date(longest: float = LONGEST_RUN) -> bool:
    """Count the slots that are marked now, for at most `longest` seconds.

    Returns whether all of them were counted. What changes meanwhile is left to the next run, or a
    run would not end while messages are sent. Another process that counts at the same moment ends
    it early.
    """
    until = time.monotonic() + longest
    began = clock.now()
    marked = _marked_slots()
    for start in range(0, len(marked), AT_ONCE):
        if time.monotonic() >= until or not count_slots(marked[start : start + AT_ONCE]):
            return False
    _note_complete(began)
    return True


def count_slots(marked: Sequence[tuple[Source, int]]) -> bool:
    """Replace the figures of these slots. False if another process is counting."""
    with _alone() as is_alone:
        if not is_alone:
            return False
        # Marks first: a change that comes after this line raises a version or adds a mark.
        marks = _marks_of(marked)
        figures = _count(marked)
        with transaction.atomic():
            for source in Source:
                slots = [slot for one, slot in marked if one == source]
                Figure.objects.filter(slot__in=slots, kind__in=kinds_of(source)).delete()
            Figure.objects.bulk_create(figures)
            for version, pks in marks.items():
                Mark.objects.filter(pk__in=pks, version=version).delete()
    return True


def _count(marked: Sequence[tuple[Source, int]]) -> list[Figure]:
    """The figures of these slots. Slots near each other are counted with one question."""
    found: list[Figure] = []
    for source in Source:
        slots = sorted(slot for one, slot in marked if one == source)
        wanted = set(slots)
        for run in _runs(slots):
            counted = figures_of(source, run[0], run[-1] + 1)
            found += [figure for figure in counted if figure.slot in wanted]
    return found


def _runs(slots: Sequence[int]) -> list[list[int]]:
    """Sorted slots, divided where the gap would read too many rows in vain."""
    runs: list[list[int]] = []
    for slot in slots:
        if runs and slot - runs[-1][-1] <= NEAR:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs


def _marks_of(marked: Sequence[tuple[Source, int]]) -> dict[int, list[int]]:
    """The marks of these slots by their version."""
    found: dict[int, list[int]] = defaultdict(list)
    for source in Source:
        slots = [slot for one, slot in marked if one == source]
        marks = Mark.objects.filter(source=source, slot__in=slots)
        for pk, version in marks.values_list("pk", "version"):
            found[version].append(pk)
    return found


def complete_at() -> datetime | None:
    """A moment before which every change is counted; None if nothing was counted yet."""
    return RollUp.objects.filter(pk=1).values_list("complete_at", flat=True).first()


def _marked_slots() -> Sequence[tuple[Source, int]]:
    """The newest first: today is looked at most."""
    rows = Mark.objects.order_by("-slot").values_list("source", "slot").distinct()
    return [(Source(source), slot) for source, slot in rows]


def _note_complete(at: datetime) -> None:
    RollUp.objects.update_or_create(pk=1, defaults={"complete_at": at})


@contextmanager
def _alone() -> Iterator[bool]:
    """Yields whether no other process counts; none begins during the block."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            # A lock of the session would be lost behind PgBouncer in transaction mode.
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_ID])
            yield bool(cursor.fetchone()[0])
    elif ":memory:" in name or "mode=memory" in name:
        yield True
    else:
        with _file_lock(f"{name}.figures-lock") as locked:
            yield locked


@contextmanager
def _file_lock(file: str) -> Iterator[bool]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
