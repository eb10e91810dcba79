"""How long recipients' files are kept."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.retention import Kind, register
from providers.retention_kinds import journal_days

from ..models import Batch, StagedRow
from .states import ENDED, BatchState

FILES: Final = "batch_files"
UNSTARTED: Final = "unstarted_batches"
NOT_STARTED: Final = (
    BatchState.READING,
    BatchState.UNREADABLE,
    BatchState.READY,
    BatchState.AWAITING_APPROVAL,
    BatchState.REJECTED,
)


def _files() -> QuerySet[StagedRow]:
    return StagedRow.objects.filter(batch__state__in=ENDED)


def _unstarted() -> QuerySet[Batch]:
    return Batch.objects.filter(hold=None, started_at=None, state__in=NOT_STARTED)


def _days_of_unstarted() -> int | None:
    return 30


def register_kinds() -> None:
    register(
        Kind(
            FILES,
            _("Recipients' files of batches that ended"),
            _("The batch, its counts and its messages stay."),
            _files,
            "batch__ended_at",
            journal_days,
        )
    )
    register(
        Kind(
            UNSTARTED,
            _("Recipients' files of batches that were never started"),
            _("The batch is cancelled. Nothing of it was sent."),
            _unstarted,
            "created_at",
            _days_of_unstarted,
        )
    )
