"""Find recent sends of the same text. They cause a warning, never a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Case, Count, F, Max, OuterRef, Q, Subquery, TextField, Value, When

from providers import clock

from ..models import Batch, Message, StagedRow
from ..states import NEVER_LEFT
from .states import BatchState

RECENT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Overlap:
    """`count` recipients got the same text recently, from a batch or as a single message."""

    count: int
    newest: Message


def recent_duplicate(batch: Batch) -> Batch | None:
    """The newest started or scheduled batch with the same text and the same file or numbers."""
    same = Q(recipients_digest=batch.recipients_digest)
    if batch.file_digest:
        same |= Q(file_digest=batch.file_digest)
    sent = Q(started_at__gt=clock.now() - RECENT) | Q(state=BatchState.SCHEDULED)
    found = Batch.objects.filter(same, sent, text=batch.text).exclude(pk=batch.pk)
    return found.select_related("answerable").order_by("-pk").first()


def overlap_of(batch: Batch) -> Overlap | None:
    """Recipients of this batch who already got its text; None if there are none.

    Resends repeat a text on purpose, so they never have an overlap.
    """
    if batch.source == Batch.Source.AGAIN:
        return None
    same = Message.objects.filter(
        recipient=OuterRef("recipient"),
        text=OuterRef("sent"),
        kind=Message.Kind.TEXT,
        created_at__gt=clock.now() - RECENT,
    ).exclude(state__in=NEVER_LEFT)
    # A test of this batch went to a number of staff.
    same = same.exclude(belongs_to=f"batch:{batch.pk}")
    good = StagedRow.objects.filter(batch=batch, verdict=StagedRow.Verdict.GOOD).order_by()
    found = good.annotate(
        sent=Case(
            When(text="", then=Value(batch.text)), default=F("text"), output_field=TextField()
        ),
        earlier=Subquery(same.order_by("-created_at").values("pk")[:1]),
    ).aggregate(count=Count("earlier"), newest=Max("earlier"))
    if not found["count"]:
        return None
    newest = Message.objects.select_related("created_by", "batch").get(pk=found["newest"])
    return Overlap(found["count"], newest)
