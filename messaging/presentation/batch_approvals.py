"""What the page of a batch says about its request for approval."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext

from core.people import person_name
from core.times import short_time
from providers.approvals.requests import VALID_FOR, is_used_up, newest_of
from providers.error_texts import Explanation
from providers.models import Approval
from providers.presentation.approval_texts import explain_request
from providers.states import ApprovalState

from ..batches.proposals import subject_of
from ..batches.states import BatchState
from ..models import Batch

B = BatchState
A = ApprovalState

ASKED: Final = (B.AWAITING_APPROVAL, B.REJECTED, B.READY)


def waiting_request(batch: Batch) -> Approval | None:
    """The request that the batch waits for."""
    return newest_of(subject_of(batch)) if batch.state == B.AWAITING_APPROVAL else None


def explain_approval(batch: Batch) -> Explanation | None:
    """What became of the last request, unless the batch was changed since."""
    if batch.state not in ASKED:
        return None
    approval = newest_of(subject_of(batch))
    if approval is None or _was_changed_since(batch, approval):
        return None
    if batch.state == B.READY and approval.state == A.GRANTED:
        if batch.scheduled_for != approval.starts_at:
            # It was scheduled, and staff removed the schedule.
            return None
        values = {
            "name": person_name(approval.decided_by),
            "time": short_time(approval.decided_at) if approval.decided_at else "",
        }
        if is_used_up(approval):
            hours = VALID_FOR // timedelta(hours=1)
            return Explanation(
                gettext("Approved by %(name)s at %(time)s, but it did not start.") % values,
                gettext("The approval has lapsed: it holds for %(hours)s hours.")
                % {"hours": hours},
                gettext("Request approval again."),
            )
        return Explanation(
            gettext("Approved by %(name)s at %(time)s, but it did not start.") % values,
            gettext("A daily limit is used up, or the permission to send batches is missing."),
            gettext("Start it when that has changed."),
        )
    return explain_request(approval)


def _was_changed_since(batch: Batch, approval: Approval) -> bool:
    """Whether it was read again after the decision."""
    ended, read = approval.decided_at, batch.reading_at
    return ended is not None and read is not None and read > ended
