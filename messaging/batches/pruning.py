"""Forgetting how the recipients were read, once that is past its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from core.pruning import delete_in_chunks

from ..models import FilePart, StagedRow
from .states import BatchState

ENDED: Final = (BatchState.FINISHED, BatchState.CANCELLED)


def prune() -> int:
    """Of batches that ended longer ago than calls are kept: the rows as they stood in the
    file, and what is left of the file. Their messages stay, and so do all figures."""
    limit = timezone.now() - timedelta(days=settings.JOURNAL_DAYS)
    over = {"batch__state__in": ENDED, "batch__ended_at__lt": limit}
    staged = delete_in_chunks(StagedRow.objects.filter(**over))
    return staged + delete_in_chunks(FilePart.objects.filter(**over))
