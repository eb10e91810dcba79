"""The batches that run, wait for their time or are paused, for the dashboard."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from core.people import person_name
from core.times import rough_duration
from messaging.batches.progress import Progress, progress_of, time_left
from messaging.batches.states import BatchState
from messaging.models import Batch
from messaging.presentation.batch_bar import delivered_share, parts_of
from messaging.presentation.batch_labels import shown_state

SHOWN: Final = (BatchState.SENDING, BatchState.PAUSED, BatchState.SCHEDULED)


def batch_lines(whose: Q | None = None, most: int = 4) -> list[dict[str, Any]]:
    """The newest batches that are under way; `whose` limits them."""
    rows = Batch.objects.filter(state__in=SHOWN).select_related("account", "created_by", "hold")
    rows = rows.filter(whose) if whose is not None else rows
    return [_line(batch) for batch in rows.order_by("-pk")[:most]]


def _line(batch: Batch) -> dict[str, Any]:
    progress = progress_of(batch) if batch.started_at else Progress(batch.good, waiting=batch.good)
    left = time_left(batch, progress)
    return {
        "batch": batch,
        "name": batch.title,
        "url": reverse("admin:messaging_batch_change", args=[batch.public_id]),
        "state": shown_state(batch),
        "parts": parts_of(progress),
        "progress": _("%(out)s of %(total)s")
        % {"out": f"{progress.out:,}", "total": f"{progress.total:,}"},
        "left": _("about %(left)s left") % {"left": rough_duration(left)} if left else "",
        "delivered": delivered_share(progress),
        "by": person_name(batch.created_by),
    }
