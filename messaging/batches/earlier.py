"""Whether the same went out lately. A warning, never a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from ..models import Batch
from .states import BatchState

LATELY: Final = timedelta(days=7)


def earlier_like(batch: Batch) -> Batch | None:
    """The newest batch with the same text for the same file, or for the same numbers, that
    was started or is about to start."""
    same = Q(recipients_digest=batch.recipients_digest)
    if batch.file_digest:
        same |= Q(file_digest=batch.file_digest)
    sent = Q(started_at__gt=timezone.now() - LATELY) | Q(state=BatchState.SCHEDULED)
    found = Batch.objects.filter(same, sent, text=batch.text).exclude(pk=batch.pk)
    return found.select_related("answerable").order_by("-pk").first()
