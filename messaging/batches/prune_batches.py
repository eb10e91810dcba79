"""Delete what is kept of batches beside their messages and figures."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from core.personal_data import held_numbers
from core.pruning import delete_in_chunks
from core.retention import limit_of
from providers import clock
from providers.approvals import requests

from ..models import Batch, FilePart, StagedRow
from . import proposals
from .kept_files import FILES, NOT_STARTED, UNSTARTED
from .states import BATCH_STATES, ENDED, BatchState

B = BatchState
NEVER_STARTED: Final = "never_started"


def prune() -> int:
    """Delete staged rows and file parts of batches that nobody started, and of those that ended
    long ago. Those with a number on legal hold stay.

    Messages and figures stay. Returns the number of deleted rows.
    """
    limit = limit_of(FILES, clock.now())
    ended = Batch.objects.filter(state__in=ENDED)
    ended = ended.none() if limit is None else ended.filter(ended_at__lt=limit)
    return _forget_files(ended) + _forget_files(_end_unstarted())


def _end_unstarted() -> QuerySet[Batch]:
    """Cancel batches that were not started in time. Returns all that ended so."""
    limit = limit_of(UNSTARTED, clock.now())
    if limit is None:
        return Batch.objects.none()
    old = Batch.objects.filter(hold=None, started_at=None, created_at__lt=limit)
    changes = {"ended_at": clock.now(), "reason": NEVER_STARTED, "values": {}, "sample": None}
    asked = old.filter(state=B.AWAITING_APPROVAL)
    subjects = [proposals.subject_of(batch) for batch in asked.only("pk")]
    with transaction.atomic():
        requests.lock_waiting(subjects)
        BATCH_STATES.move(old, B.CANCELLED, sources=NOT_STARTED, **changes)
        requests.end_with(subjects, requests.ENDED)
    return Batch.objects.filter(state=B.CANCELLED, reason=NEVER_STARTED)


def _forget_files(batches: QuerySet[Batch]) -> int:
    held = StagedRow.objects.filter(recipient__in=held_numbers())
    batches = batches.exclude(pk__in=held.values("batch")) if held_numbers() else batches
    staged = delete_in_chunks(StagedRow.objects.filter(batch__in=batches))
    return staged + delete_in_chunks(FilePart.objects.filter(batch__in=batches))
