"""How jobs end: cancelled, stopped, deleted or expired. Their parts go with it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from core.acts import record_act
from core.models import ExportJob, ExportPart
from core.pruning import delete_in_chunks
from core.retention import limit_of

from .limits import LISTED_FOR, OPEN, Reason, State
from .states import EXPORT_STATES

AT_ONCE: Final = 50
"""Parts that one statement deletes, so that no lock is held for long."""


def cancel(job: ExportJob, by: User) -> bool:
    """Cancel an unfinished job or delete a finished file. False if the job had already ended."""
    jobs = ExportJob.objects.filter(pk=job.pk)
    now = timezone.now()
    gone: dict[str, Any] = {"claim": "", "busy_until": None, "stored": 0, "finished_at": now}
    gone["expires_at"] = None
    if EXPORT_STATES.move(jobs, State.CANCELLED, **gone):
        what = "export.cancel"
    elif EXPORT_STATES.move(jobs, State.ENDED, **gone):
        what = "export.delete"
    else:
        return False
    record_act(what, by=by, subject=f"export:{job.pk}", rows=job.rows_of)
    drop_parts(job)
    return True


def stop(job: ExportJob, reason: Reason) -> None:
    """End a job that cannot go on."""
    now = timezone.now()
    gone: dict[str, Any] = {"claim": "", "busy_until": None, "stored": 0, "finished_at": now}
    own = ExportJob.objects.filter(pk=job.pk, claim=job.claim)
    stopped = EXPORT_STATES.move(own, State.STOPPED, reason=reason, **gone)
    if stopped:
        drop_parts(job)


def drop_for_erasure(job: ExportJob) -> bool:
    """Delete the file of a job, since a phone number in it was erased. False if it has none."""
    jobs = ExportJob.objects.filter(pk=job.pk)
    gone: dict[str, Any] = {"claim": "", "busy_until": None, "stored": 0}
    gone |= {"finished_at": timezone.now(), "expires_at": None}
    open_or_ready = EXPORT_STATES.move(jobs, State.CANCELLED, **gone) or EXPORT_STATES.move(
        jobs, State.ENDED, **gone
    )
    drop_parts(job)
    return bool(open_or_ready)


def drop_parts(job: ExportJob) -> None:
    parts = ExportPart.objects.filter(job=job).order_by()
    while chunk := list(parts.values_list("pk", flat=True)[:AT_ONCE]):
        ExportPart.objects.filter(pk__in=chunk).delete()


def prune() -> int:
    """Delete the files whose time is over, and jobs that ended long ago."""
    now = timezone.now()
    over = Q(expires_at__lte=now)
    if (limit := limit_of("exports", now)) is not None:
        over |= Q(finished_at__lt=limit)
    over_jobs = ExportJob.objects.filter(over, state=State.READY)
    for job in over_jobs.only("pk"):
        if EXPORT_STATES.move(over_jobs.filter(pk=job.pk), State.ENDED, stored=0):
            drop_parts(job)
    left = ExportPart.objects.exclude(job__state__in=(*OPEN, State.READY))
    while chunk := list(left.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        ExportPart.objects.filter(pk__in=chunk).delete()
    old = ExportJob.objects.filter(asked_at__lt=now - LISTED_FOR).exclude(state__in=OPEN)
    return delete_in_chunks(old.exclude(state=State.READY))
