"""Ask for the consent of a second person, give it, refuse it, withdraw the question.

Each act locks the request and moves its state by the table, so of two people who decide at the same
time one finds it decided.

Lock order: the person who asked, then the request, then what it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.stored_texts import Stored, StoredText, declare

from .. import clock
from ..models import Approval
from ..states import APPROVAL_STATES, ApprovalState
from . import notices
from .digest import digest_of
from .kinds import Proposal, kind_of
from .rules import ApprovalNeeded, Passed, lock_starts_of, may_decide, passed_limits

A = ApprovalState

CHANGED: Final = declare("approval.changed", _("What was requested has changed since."))
TIME_PASSED: Final = declare("approval.time_passed", _("No one decided in time."))
ENDED: Final = declare("approval.ended", _("It was cancelled before anyone decided."))
HELD: Final = declare("approval.held", _("A hold began before anyone decided."))
ALARM_AFTER: Final = timedelta(minutes=15)
"""How long a request waits before it needs attention."""
VALID_FOR: Final = timedelta(hours=24)
"""How long an approval without a start time can be used after the decision."""


class DecisionOutcome(StrEnum):
    """What an attempt to decide came to. All but the first two change nothing else."""

    DONE = "done"
    NOT_STARTED = "not_started"
    """Approved, but something else keeps it from starting."""
    DECIDED_BEFORE = "decided_before"
    NOT_YOURS = "not_yours"
    """Nobody decides about what they asked for, made, or edited."""
    CHANGED = "changed"
    TIME_PASSED = "time_passed"
    UNAVAILABLE = "unavailable"
    """It is on hold, or no longer waits."""


def check(proposal: Proposal, by: User) -> None:
    """Raise `ApprovalNeeded` if `by` may not start this without a second person.

    An approval counts only for exactly what was shown. Part of the transaction of the start.
    """
    passed = still_passed(proposal, by, lock=True)
    if passed:
        raise ApprovalNeeded(passed)


def still_passed(proposal: Proposal, by: User, *, lock: bool = False) -> list[Passed]:
    """The limits that this would pass, unless exactly this was approved."""
    subject = proposal.subject
    passed = passed_limits(by, proposal.kind, proposal.size, without=subject, lock=lock)
    return [] if passed and is_approved(proposal) else passed


def is_approved(proposal: Proposal) -> bool:
    granted = Approval.objects.filter(subject=proposal.subject, state=A.GRANTED)
    if proposal.starts_at is None:
        # Whoever agreed to a start "now" did not agree to one next month.
        granted = granted.filter(decided_at__gt=clock.now() - VALID_FOR)
    return granted.filter(digest=digest_of(proposal)).exists()


def is_used_up(approval: Approval) -> bool:
    """Whether what was approved without a start time did not start in time."""
    if approval.state != A.GRANTED or approval.starts_at is not None:
        return False
    return approval.decided_at is None or approval.decided_at <= clock.now() - VALID_FOR


def ask(proposal: Proposal, passed: Sequence[Passed], *, by: User, why: str) -> Approval:
    """Ask for consent. Part of the transaction that makes it wait."""
    approval = Approval.objects.create(
        kind=proposal.kind,
        subject=proposal.subject,
        title=proposal.title,
        account=proposal.account,
        digest=digest_of(proposal),
        count=proposal.size.count,
        cost=proposal.size.cost,
        starts_at=proposal.starts_at,
        due_at=proposal.due_at,
        passed=[one.stored() for one in passed],
        asked_by=by,
        why=why[:200],
        involved=sorted(proposal.involved | {by.pk}),
    )
    _record("approval.ask", approval, by, why)
    notices.tell_asked(approval)
    return approval


def grant(approval: Approval, by: User, comment: str = "") -> DecisionOutcome:
    """Approve it, and start it on behalf of who asked, unless it is another thing by now."""
    with transaction.atomic():
        lock_starts_of(approval.asked_by_id)
        row = _locked(approval)
        refused = _refusal(row, by)
        if refused:
            return refused
        kind = kind_of(row.kind)
        proposal = kind.proposal(row)
        if proposal is None:
            return DecisionOutcome.UNAVAILABLE
        if row.due_at is not None and row.due_at <= clock.now():
            _lapse(row, TIME_PASSED.store())
            return DecisionOutcome.TIME_PASSED
        if digest_of(proposal) != row.digest:
            _lapse(row, CHANGED.store())
            return DecisionOutcome.CHANGED
        if not _end(row, A.GRANTED, by, comment):
            return DecisionOutcome.DECIDED_BEFORE
        _record("approval.grant", row, by, comment)
        started = kind.carry_out(row)
        notices.tell_granted(row, by, started=started)
    return DecisionOutcome.DONE if started else DecisionOutcome.NOT_STARTED


def reject(approval: Approval, by: User, comment: str) -> DecisionOutcome:
    with transaction.atomic():
        row = _locked(approval)
        refused = _refusal(row, by)
        if refused:
            return refused
        kind = kind_of(row.kind)
        if kind.proposal(row) is None:
            return DecisionOutcome.UNAVAILABLE
        if not _end(row, A.REJECTED, by, comment):
            return DecisionOutcome.DECIDED_BEFORE
        _record("approval.reject", row, by, comment)
        kind.give_back(row, A.REJECTED, by)
        notices.tell_rejected(row, by)
    return DecisionOutcome.DONE


def withdraw(approval: Approval, by: User) -> DecisionOutcome:
    """Whoever asked no longer does."""
    with transaction.atomic():
        row = _locked(approval)
        if row.state != A.WAITING:
            return DecisionOutcome.DECIDED_BEFORE
        if row.asked_by_id != by.pk:
            return DecisionOutcome.NOT_YOURS
        kind = kind_of(row.kind)
        if kind.proposal(row) is None:
            return DecisionOutcome.UNAVAILABLE
        if not _end(row, A.WITHDRAWN, by):
            return DecisionOutcome.DECIDED_BEFORE
        _record("approval.withdraw", row, by)
        kind.give_back(row, A.WITHDRAWN, by)
    return DecisionOutcome.DONE


def lapse_overdue(kind: str) -> int:
    """End the requests that nobody decided about in time. Returns their number."""
    overdue = waiting().filter(kind=kind, due_at__lte=clock.now())
    lapsed = 0
    for approval in overdue.order_by("pk"):
        with transaction.atomic():
            row = _locked(approval)
            if row.state == A.WAITING and kind_of(kind).proposal(row) is not None:
                lapsed += _lapse(row, TIME_PASSED.store())
    return lapsed


def lock_waiting(subjects: Iterable[str]) -> None:
    """Let decisions about these wait. Call it before the rows themselves are changed."""
    rows = waiting().filter(subject__in=list(subjects)).select_for_update(of=("self",))
    list(rows.order_by("pk").values_list("pk"))


def end_with(subjects: Iterable[str], why: StoredText, by: User | None = None) -> int:
    """End the requests for what was ended or held otherwise. Part of that transaction, which
    locked them before (`lock_waiting`)."""
    gone = waiting().filter(subject__in=list(subjects))
    return APPROVAL_STATES.move(
        gone,
        A.LAPSED,
        decided_by_id=by.pk if by else None,
        decided_at=clock.now(),
        comment=why.store(),
    )


def waiting() -> QuerySet[Approval]:
    return Approval.objects.filter(state=A.WAITING)


def newest_of(subject: str) -> Approval | None:
    """The last request for this."""
    return Approval.objects.filter(subject=subject).order_by("-pk").first()


def _locked(approval: Approval) -> Approval:
    return Approval.objects.select_for_update(of=("self",)).get(pk=approval.pk)


def _refusal(row: Approval, by: User) -> DecisionOutcome | None:
    if not may_decide(by, row):
        return DecisionOutcome.NOT_YOURS
    return None if row.state == A.WAITING else DecisionOutcome.DECIDED_BEFORE


def _end(row: Approval, state: ApprovalState, by: User | None, comment: str = "") -> bool:
    changes = {"decided_by_id": by.pk if by else None, "decided_at": clock.now()}
    return APPROVAL_STATES.set(row, state, comment=comment[:200], **changes)


def _lapse(row: Approval, why: Stored) -> bool:
    if not _end(row, A.LAPSED, None, why):
        return False
    kind_of(row.kind).give_back(row, A.LAPSED, None)
    notices.tell_lapsed(row, why)
    return True


def _record(what: str, approval: Approval, by: User, reason: str = "") -> None:
    record_act(
        what,
        by=by,
        subject=approval.subject,
        reason=reason,
        approval=approval.pk,
        count=approval.count,
        cost=None if approval.cost is None else str(approval.cost),
    )
