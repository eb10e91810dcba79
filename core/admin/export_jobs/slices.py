"""Write the files of jobs, in slices that a task of the queue ends within 20 s.

1. A slice takes the job whose turn it is: the one that has waited longest, one of each person. A
   host works on one job at a time, so that a worker is left for callbacks.
2. It makes one part after another. Each part and how far the job is with it are one transaction,
   so a killed slice leaves nothing out and repeats nothing.
3. It ends when its time is over, or when other tasks wait in the queue. Then it queues the next
   slice behind them.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django_q.brokers import get_broker

from core.models import ExportJob, ExportPart

from ..actions import log_rows_exported
from ..export_slots import lock_on_host
from .end import drop_parts, stop
from .limits import KEPT_FOR, MOST_BYTES, OPEN, Reason, State, bytes_of
from .parts import MadePart, PartMaker, Refused
from .states import EXPORT_STATES

logger = logging.getLogger(__name__)

SLICE_SECONDS: Final = 12.0
"""No part is begun after this."""
CLAIMED_FOR: Final = timedelta(seconds=120)
"""The queue ends a task after 90 s."""
MOST_TRIES: Final = 3
"""Slices in succession that were killed or failed before they wrote a part."""
SILENT_FOR: Final = timedelta(seconds=60)


def write_slice() -> bool:
    """Write one slice of one job. Returns whether there is more that another slice could do."""
    with _only_on_host() as is_only:
        if not is_only:
            return False
        job = _claim_next()
        if job is not None:
            _Slice(job).run()
    return runnable().exists()


def stands_still() -> bool:
    """Whether jobs are left that no task has worked on for a minute, since it was lost."""
    moving = Q(busy_until__gt=timezone.now()) | Q(progressed_at__gt=timezone.now() - SILENT_FOR)
    is_open = ExportJob.objects.filter(state__in=OPEN)
    return not is_open.filter(moving).exists() and runnable().exists()


def runnable() -> QuerySet[ExportJob]:
    """The jobs of which a slice may be written now, in their turn."""
    jobs = ExportJob.objects.filter(state__in=OPEN)
    earlier = jobs.filter(by=OuterRef("by"), pk__lt=OuterRef("pk"))
    is_free = Q(busy_until=None) | Q(busy_until__lt=timezone.now())
    return jobs.filter(is_free, ~Exists(earlier)).order_by("progressed_at", "pk")


@contextmanager
def _only_on_host() -> Iterator[bool]:
    file = lock_on_host("job")
    try:
        yield file is not None
    finally:
        if file is not None:
            os.close(file)


def _claim_next() -> ExportJob | None:
    for key in runnable().values_list("pk", flat=True)[:10]:
        claim = secrets.token_hex(16)
        now = timezone.now()
        taken = runnable().filter(pk=key).order_by()
        # One UPDATE, so that only one of several slices takes it.
        free = ExportJob.objects.filter(
            Q(busy_until=None) | Q(busy_until__lt=now),
            pk__in=list(taken.values_list("pk", flat=True)),
        )
        marks: dict[str, Any] = {
            "claim": claim,
            "busy_until": now + CLAIMED_FOR,
            "tries": F("tries") + 1,
        }
        if EXPORT_STATES.move(free, State.RUNNING, **marks):
            return ExportJob.objects.select_related("by").get(pk=key)
    return None


class _Slice:
    def __init__(self, job: ExportJob) -> None:
        self._job = job

    def run(self) -> None:
        job = self._job
        if job.tries > MOST_TRIES:
            stop(job, Reason.ERROR)
            return
        try:
            self._write_parts()
        except Refused as refused:
            stop(job, refused.reason)
        except Exception:
            # The next slice tries again, some times.
            logger.exception("A slice of %s failed", job)
        finally:
            self._own().update(claim="", busy_until=None)

    def _write_parts(self) -> None:
        until = time.monotonic() + SLICE_SECONDS
        maker = PartMaker(self._job)
        with maker.as_asked():
            maker.begin()
            if self._job.is_whole and not maker.may_be_whole:
                self._begin_masked()
                maker = PartMaker(self._job)
                maker.begin()
            self._expect(maker)
            while True:
                part = maker.make()
                if not self._keep(part) or part.is_last:
                    return
                if time.monotonic() >= until or get_broker().queue_size():
                    return

    def _own(self) -> QuerySet[ExportJob]:
        """The job, as long as this slice has it."""
        return ExportJob.objects.filter(pk=self._job.pk, claim=self._job.claim, state=State.RUNNING)

    def _begin_masked(self) -> None:
        """Restart the file masked, because the person has lost the right to reveal."""
        job = self._job
        if "q" in QueryDict(str(job.query.reveal() if job.query else "")):
            # With less permission, a search finds other rows.
            raise Refused(Reason.RIGHTS)
        job.is_whole, job.reached, job.rows, job.parts, job.stored = False, "", 0, 0, 0
        with transaction.atomic():
            if not self._own().update(is_whole=False, reached="", rows=0, parts=0, stored=0):
                raise Refused(Reason.RIGHTS)
            drop_parts(job)

    def _expect(self, maker: PartMaker) -> None:
        if self._job.expected is None:
            self._job.expected = maker.count()
            self._job.headings = maker.headings
            self._own().update(expected=self._job.expected, headings=maker.headings)

    def _keep(self, part: MadePart) -> bool:
        """Store a part with how far the job is with it. False if the job is no longer ours."""
        job, now = self._job, timezone.now()
        if bytes_of(job.by_id) + len(part.data) > MOST_BYTES:
            raise Refused(Reason.SPACE)
        values: dict[str, Any] = {
            "reached": part.reached,
            "rows": job.rows + part.rows,
            "parts": job.parts + 1,
            "stored": job.stored + len(part.data),
            "tries": 0,
            "progressed_at": now,
            "busy_until": now + CLAIMED_FOR,
        }
        if part.is_last:
            end = {"finished_at": now, "expires_at": now + KEPT_FOR, "busy_until": None}
            values |= {"claim": "", **end}
        target = State.READY if part.is_last else State.RUNNING
        with transaction.atomic():
            own = self._own().filter(parts=job.parts)
            if not EXPORT_STATES.move(own, target, sources=(State.RUNNING,), **values):
                return False
            ExportPart.objects.create(
                job=job,
                number=job.parts,
                sheet=part.sheet,
                rows=part.rows,
                size=part.size,
                data=part.data,
            )
            if part.is_last:
                self._log(values["rows"])
        for name, value in {**values, "state": target}.items():
            setattr(job, name, value)
        return True

    def _log(self, count: int) -> None:
        job = self._job
        maker = PartMaker(job)
        query = maker.query
        stored = maker.declared.logged.store(
            format=job.format.upper(), count=count, filters=maker.filters_logged
        )
        log_rows_exported(
            job.by, maker.admin.model, stored, count=count, query=query, subject=f"export:{job.pk}"
        )
