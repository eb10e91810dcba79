"""Batches as what a second person approves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import ngettext

from core.countries import country_name
from core.models import Act
from core.punctuation import listed
from core.visibility import may_reveal
from providers.approvals.kinds import ApprovalKind, Proposal, Size
from providers.approvals.rules import ApprovalNeeded
from providers.daily_limits import LimitReached
from providers.models import Approval
from providers.states import ApprovalState

from .batches import lifecycle, proposals
from .batches.states import BATCH_STATES, BatchState
from .models import Batch, Message, StagedRow
from .presentation.labels import SMS_KINDS
from .states import NEVER_LEFT

B = BatchState

STARTS: Final = ("approval.ask", "batch.scheduled", "batch.started")
"""The last of these acts on a batch says who started it."""
SAMPLES: Final = 3
MAX_COUNTRIES: Final = 10


class ApprovedBatches(ApprovalKind):
    name: ClassVar[str] = proposals.KIND
    limit: ClassVar[str] = "messages"
    template: ClassVar[str] = "messaging/batches/approval.html"

    def used(self, person: User, since: datetime, without: str) -> Size:
        """Of a cancelled batch, only what went out counts."""
        own = Batch.objects.filter(Q(answerable=person) | Q(pk__in=_taken_over(person, since)))
        if without:
            own = own.exclude(pk=int(without.rpartition(":")[2]))
        begun = own.filter(started_at__gt=since)
        parts = [
            _sum_of(own.filter(state=B.SCHEDULED, started_at=None)),
            _sum_of(begun.exclude(state=B.CANCELLED)),
            _sent_of(begun.filter(state=B.CANCELLED)),
        ]
        costs = [part.cost for part in parts if part.cost is not None]
        return Size(sum(part.count for part in parts), sum(costs, Decimal()))

    def proposal(self, approval: Approval) -> Proposal | None:
        batch = _batch(approval)
        waits = batch.state == B.AWAITING_APPROVAL and batch.hold_id is None
        return proposals.proposal_of(batch, batch.scheduled_for) if waits else None

    def carry_out(self, approval: Approval) -> bool:
        """Start or schedule it. If it may not start now, it is ready and stays approved."""
        if not _make_ready(approval):
            return False
        batch, by = _batch(approval), approval.asked_by
        if not lifecycle.may_send(by):
            return False
        try:
            with transaction.atomic():
                if approval.starts_at is not None:
                    return lifecycle.schedule(batch, by, approval.starts_at)
                return lifecycle.start(batch, by)
        except (LimitReached, ApprovalNeeded):
            return False

    def give_back(self, approval: Approval, outcome: ApprovalState, by: User | None) -> None:
        if outcome == ApprovalState.REJECTED:
            BATCH_STATES.move(_waiting(approval), B.REJECTED, scheduled_for=None)
        else:
            _make_ready(approval, scheduled_for=None)

    def url(self, approval: Approval) -> str:
        return reverse("admin:messaging_batch_change", args=[_batch(approval).public_id])

    def preview(self, approval: Approval, reader: User | AnonymousUser) -> dict[str, Any]:
        batch = _batch(approval)
        good = StagedRow.objects.filter(batch=batch, verdict=StagedRow.Verdict.GOOD)
        longest = good.order_by("-segments", "pk").first()
        samples = list(good.order_by("pk")[:SAMPLES])
        return {
            "batch": batch,
            "samples": samples,
            "longest": longest if longest and longest not in samples else None,
            "countries": _countries_text(good),
            "may_read": may_reveal(Batch, reader),
            "column": _column(batch),
            "sms_kind": SMS_KINDS.get(batch.sms_kind, batch.sms_kind),
        }

    def size_text(self, count: int) -> str:
        text = ngettext("%(count)s message", "%(count)s messages", count)
        return text % {"count": f"{count:,}"}


def _taken_over(person: User, since: datetime) -> list[int]:
    """Batches that this person started and a colleague continued. Otherwise, two people could send
    any amount by taking over each other's batches."""
    others = Batch.objects.filter(started_at__gt=since).exclude(answerable=person)
    subjects = {f"{proposals.KIND}:{pk}": pk for pk in others.values_list("pk", flat=True)}
    acts = Act.objects.filter(subject__in=subjects, what__in=STARTS).order_by("pk")
    starters = dict(acts.values_list("subject", "by_id"))
    return [subjects[subject] for subject, by in starters.items() if by == person.pk]


def _batch(approval: Approval) -> Batch:
    pk = int(approval.subject.rpartition(":")[2])
    return Batch.objects.select_related("account", "created_by", "answerable").get(pk=pk)


def _waiting(approval: Approval) -> QuerySet[Batch]:
    rows = Batch.objects.filter(pk=int(approval.subject.rpartition(":")[2]), hold=None)
    return rows.filter(state=B.AWAITING_APPROVAL)


def _make_ready(approval: Approval, **changes: Any) -> bool:
    sources = (B.AWAITING_APPROVAL,)
    return bool(BATCH_STATES.move(_waiting(approval), B.READY, sources=sources, **changes))


def _sum_of(batches: QuerySet[Batch]) -> Size:
    cost = ExpressionWrapper(
        F("segments") * F("account__price_per_segment"),
        DecimalField(max_digits=30, decimal_places=4),
    )
    found = batches.order_by().aggregate(count=Sum("good"), cost=Sum(cost))
    return Size(found["count"] or 0, found["cost"])


def _sent_of(batches: QuerySet[Batch]) -> Size:
    pks = list(batches.values_list("pk", flat=True))
    if not pks:
        return Size(0, None)
    cost = ExpressionWrapper(
        F("segments") * F("price"), DecimalField(max_digits=30, decimal_places=4)
    )
    sent = Message.objects.filter(batch__in=pks).exclude(state__in=NEVER_LEFT).order_by()
    found = sent.aggregate(count=Count("pk"), cost=Sum(cost))
    return Size(found["count"], found["cost"])


def _countries_text(good: QuerySet[StagedRow]) -> str:
    counted = good.order_by().values_list("country").annotate(count=Count("pk"))
    first = sorted(counted, key=lambda one: -one[1])[:MAX_COUNTRIES]
    return listed([f"{country_name(code)} {count:,}" for code, count in first])


def _column(batch: Batch) -> str:
    index = batch.number_column
    return str(batch.columns[index]) if index is not None and index < len(batch.columns) else ""
