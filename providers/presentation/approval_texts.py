"""What pages say about requests for approval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.labels import Role, StateLabel, register_states
from core.admin.timeline import TimelineEntry
from core.money_lines import MoneyLine
from core.people import person_name
from core.punctuation import join_sentences, listed
from core.stored_texts import show
from core.templatetags.portal import amount
from core.times import short_time

from ..approvals.requests import DecisionOutcome
from ..approvals.rules import ENOUGH, Passed, approvers, who_may_decide
from ..error_texts import Explanation
from ..models import Approval
from ..states import ApprovalState

A = ApprovalState

LABELS: Final = {
    A.WAITING: StateLabel(
        _("Waiting for approval"), Role.WARNING, "approval", _("A second person must agree.")
    ),
    A.GRANTED: StateLabel(
        A.GRANTED.label, Role.SUCCESS, "check_circle", _("A second person agreed.")
    ),
    A.REJECTED: StateLabel(
        A.REJECTED.label, Role.DANGER, "block", _("A second person did not agree.")
    ),
    A.WITHDRAWN: StateLabel(
        A.WITHDRAWN.label, Role.NEUTRAL, "undo", _("The person who requested it took it back.")
    ),
    A.LAPSED: StateLabel(
        A.LAPSED.label, Role.NEUTRAL, "timer_off", _("It ended without a decision.")
    ),
}
NAMES: Final = {
    "messages": pgettext_lazy("approval limit", "Messages"),
    "orders": pgettext_lazy("approval limit", "Rented numbers"),
    "cost": pgettext_lazy("approval limit", "Cost"),
}
OUTCOMES: Final[dict[DecisionOutcome, Promise]] = {
    DecisionOutcome.NOT_STARTED: _(
        "Approved, but it did not start: the person who requested it has reached a daily limit or"
        " may no longer start it. They were told. Nothing was charged."
    ),
    DecisionOutcome.DECIDED_BEFORE: _(
        "No change: this request has already been decided or withdrawn."
    ),
    DecisionOutcome.NOT_YOURS: _(
        "No change: no one decides about what they requested, created or edited themselves."
    ),
    DecisionOutcome.CHANGED: _(
        "Not approved: it has changed since approval was requested, or its price has. Nothing was"
        " sent. Approval must be requested again."
    ),
    DecisionOutcome.TIME_PASSED: _(
        "Not approved: its time has passed. Nothing was sent. Approval must be requested again."
    ),
    DecisionOutcome.UNAVAILABLE: _("No change: it is on hold or no longer waits for approval."),
}


def register() -> None:
    register_states("approval", {str(value): label for value, label in LABELS.items()})


@dataclass(frozen=True, slots=True)
class PassedLine:
    """A limit that is passed, in words."""

    limit: str
    name: str
    text: str


def passed_lines(passed: list[Passed]) -> list[PassedLine]:
    return [PassedLine(one.limit, str(NAMES[one.limit]), _passed_text(one)) for one in passed]


def stored_lines(approval: Approval) -> list[PassedLine]:
    """The limits that a request passed when it was made."""
    known = [_read(one) for one in approval.passed if one.get("limit") in NAMES]
    return passed_lines(known)


def _read(stored: dict[str, Any]) -> Passed:
    return Passed(
        stored["limit"],
        str(stored.get("most", "")),
        str(stored.get("used", "")),
        bool(stored.get("is_unknown")),
    )


def _passed_text(one: Passed) -> str:
    if one.is_unknown:
        text = gettext("No price is known, so the limit of %(most)s in 24 hours cannot be checked.")
        return text % {"most": _quantity(one.limit, one.most)}
    values = {"most": _quantity(one.limit, one.most), "used": _quantity(one.limit, one.used)}
    return gettext("Limit in 24 hours: %(most)s, used before: %(used)s.") % values


def _quantity(limit: str, text: str) -> str:
    return amount(Decimal(text)) if limit == "cost" else f"{int(text):,}"


def names_of(people: list[User]) -> str:
    return listed([person_name(one) for one in people])


def who_decides(approval: Approval) -> str:
    """Who can approve a request, in a sentence."""
    people = who_may_decide(approval)
    if not people:
        return gettext("No one else can approve it now. A manager can give someone the permission.")
    return gettext("It can be approved by %(names)s.") % {"names": names_of(people)}


def why_off() -> str:
    """Why limits do not apply, in words; empty if they do."""
    people = list(approvers()[:ENOUGH])
    if len(people) >= ENOUGH:
        return ""
    if not people:
        return gettext(
            "Limits apply once two people can approve. At present no one has the permission"
            " “Approve batches and orders of others”."
        )
    text = gettext(
        "Limits apply once two people can approve. At present only %(name)s has the permission"
        " “Approve batches and orders of others”."
    )
    return text % {"name": person_name(people[0])}


def explain_request(approval: Approval) -> Explanation | None:
    """What a page says about the newest request for its object; None if that is over."""
    values = {
        "name": person_name(approval.decided_by),
        "time": short_time(approval.decided_at) if approval.decided_at else "",
        "reason": approval.comment,
    }
    match approval.state:
        case A.WAITING:
            return _explain_waiting(approval)
        case A.REJECTED:
            return Explanation(
                gettext("Rejected by %(name)s at %(time)s.") % values,
                gettext("Reason: %(reason)s") % values,
                "",
                MoneyLine.NOT_SENT,
            )
        case A.LAPSED:
            return Explanation(
                gettext("The request for approval has ended."),
                show(approval.comment),
                gettext("Request approval again if it is still needed."),
                MoneyLine.NOT_SENT,
            )
    return None


def _explain_waiting(approval: Approval) -> Explanation:
    values = {
        "name": person_name(approval.asked_by),
        "time": short_time(approval.asked_at),
        "due": short_time(approval.due_at) if approval.due_at else "",
    }
    due = gettext("The request ends at %(due)s if no one decides.") % values
    return Explanation(
        gettext("Waiting for approval, requested by %(name)s at %(time)s.") % values,
        join_sentences(who_decides(approval), due if approval.due_at else ""),
        "",
        MoneyLine.NOT_SENT,
    )


def request_entries(approvals: Iterable[Approval]) -> Iterator[TimelineEntry]:
    """Requests and what was decided, for the timeline of what they are about."""
    words = {
        A.GRANTED: gettext("Approved by %(name)s"),
        A.REJECTED: gettext("Rejected by %(name)s"),
        A.WITHDRAWN: gettext("Request for approval withdrawn by %(name)s"),
        A.LAPSED: gettext("The request for approval has ended."),
    }
    for approval in approvals:
        url = reverse("admin:approval", args=[approval.public_id])
        text = gettext("Approval requested by %(name)s") % {"name": person_name(approval.asked_by)}
        yield TimelineEntry(text, approval.asked_at, url, pgettext("link", "Request"))
        if approval.decided_at:
            text = words[A(approval.state)] % {"name": person_name(approval.decided_by)}
            yield TimelineEntry(text, approval.decided_at)


def entries_about(subject: str) -> Iterator[TimelineEntry]:
    rows = Approval.objects.filter(subject=subject).select_related("asked_by", "decided_by")
    yield from request_entries(rows.order_by("pk"))


def outcomes_of(approvals: list[Approval]) -> Iterator[dict[str, Any]]:
    """Decisions, for tables."""
    for approval in approvals:
        decided, asked = approval.decided_at, approval.asked_at
        yield {"approval": approval, "took": decided - asked if decided else None}
