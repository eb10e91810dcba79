"""What starting a batch means, for the limits beyond which a second person must agree."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet

from core.stored_texts import from_staff
from providers.approvals import requests
from providers.approvals.kinds import Proposal, Size
from providers.approvals.rules import Passed
from providers.models import Approval

from ..models import Batch
from .states import BATCH_STATES, BatchState

B = BatchState

KIND: Final = "batch"
LONGEST_TITLE: Final = 200
ACCEPTED: Final = Q(check_run=None) | Q(accepted_run=F("check_run"))
"""Nothing unusual, or confirmed. Batches of before the check have no `check_run`."""


def subject_of(batch: Batch) -> str:
    return f"{KIND}:{batch.pk}"


def startable(batch: Batch) -> QuerySet[Batch]:
    """The batch, unless it is on hold, has begun, has unconfirmed warnings, or was checked again
    since `batch` was loaded."""
    rows = Batch.objects.filter(pk=batch.pk, hold=None, started_at=None, good__gt=0)
    return rows.filter(ACCEPTED, **batch.check_summary)


def proposal_of(batch: Batch, starts_at: datetime | None) -> Proposal:
    """Starting this batch, at a time or at once (None), as it is now."""
    account = batch.account
    price = account.price_per_segment
    return Proposal(
        kind=KIND,
        subject=subject_of(batch),
        account=account,
        title=from_staff(batch.title[:LONGEST_TITLE]),
        size=Size(batch.good, None if price is None else price * batch.segments),
        facts={
            **batch.check_summary,
            "sms_kind": batch.sms_kind,
            "sender_id": batch.sender_id,
            "file": batch.file_digest,
            "price": price,
        },
        involved=frozenset(pk for pk in (batch.created_by_id, batch.edited_by_id) if pk),
        starts_at=starts_at,
        due_at=starts_at,
    )


def check_start(batch: Batch, by: User, starts_at: datetime | None) -> None:
    """Raise `ApprovalNeeded` unless `by` may start it so, or a second person approved exactly
    that. Part of the transaction of the start."""
    requests.check(proposal_of(batch, starts_at), by)


def limits_passed_by(batch: Batch, by: User, starts_at: datetime | None) -> list[Passed]:
    """The limits that starting this batch would pass, for its page."""
    return requests.still_passed(proposal_of(batch, starts_at), by)


def ask(batch: Batch, by: User, starts_at: datetime | None, why: str) -> Approval | None:
    """Ask for consent to start this batch. None if it may no longer be asked for, or if it passes
    no limit.

    A batch that was checked again since `batch` was loaded is not asked for.
    """
    proposal = proposal_of(batch, starts_at)
    with transaction.atomic():
        passed = requests.still_passed(proposal, by, lock=True)
        if not passed or not BATCH_STATES.move(
            startable(batch),
            B.AWAITING_APPROVAL,
            scheduled_for=starts_at,
            answerable_id=by.pk,
            paused_at=None,
            paused_by_id=None,
            reason="",
            values={},
        ):
            return None
        return requests.ask(proposal, passed, by=by, why=why)
