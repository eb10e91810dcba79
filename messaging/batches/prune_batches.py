"""Delete what is kept of batches beside their messages and figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from core.pruning import delete_in_chunks
from providers import clock
from providers.approvals import requests

from ..models import Batch, FilePart, StagedRow
from . import proposals
from .states import BATCH_STATES, ENDED, BatchState

B = BatchState
NEVER_STARTED: Final = "never_started"
KEPT_UNSTARTED: Final = timedelta(days=30)
"""For how long the file and the rows of a batch that nobody starts are kept."""


def prune() -> int:
    """Delete staged rows and file parts of batches that nobody started, and of those that ended
    over `JOURNAL_DAYS` days ago.

    Messages and figures stay. Returns the number of deleted rows.
    """
    limit = clock.now() - timedelta(days=settings.JOURNAL_DAYS)
    ended = Batch.objects.filter(state__in=ENDED, ended_at__lt=limit)
    return _forget_files(ended) + _forget_files(_end_unstarted())


def _end_unstarted() -> QuerySet[Batch]:
    """Cancel batches that were not started in time. Returns all that ended so."""
    waiting = (B.READING, B.UNREADABLE, B.READY, B.AWAITING_APPROVAL, B.REJECTED)
    old = Batch.objects.filter(
        hold=None, started_at=None, created_at__lt=clock.now() - KEPT_UNSTARTED
    )
    changes = {"ended_at": clock.now(), "reason": NEVER_STARTED, "values": {}, "sample": None}
    asked = old.filter(state=B.AWAITING_APPROVAL)
    subjects = [proposals.subject_of(batch) for batch in asked.only("pk")]
    with transaction.atomic():
        requests.lock_waiting(subjects)
        BATCH_STATES.move(old, B.CANCELLED, sources=waiting, **changes)
        requests.end_with(subjects, requests.ENDED)
    return Batch.objects.filter(state=B.CANCELLED, reason=NEVER_STARTED)


def _forget_files(batches: QuerySet[Batch]) -> int:
    staged = delete_in_chunks(StagedRow.objects.filter(batch__in=batches))
    return staged + delete_in_chunks(FilePart.objects.filter(batch__in=batches))
