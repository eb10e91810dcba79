"""What waits for a person's approval: for the inbox, the sidebar, the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.admin.attention import AttentionItem, counted_item
from core.admin.once import once
from core.stored_texts import show

from .. import clock
from ..approvals.kinds import kind_of
from ..approvals.limit_switch import SETS_LIMITS
from ..approvals.requests import ALARM_AFTER, waiting
from ..approvals.rules import PERMISSION, are_on, may_decide
from ..models import Approval, ApprovalLimit
from .approval_texts import PassedLine, stored_lines

MOST: Final = 100
"""Waiting requests that are looked at. More than that never wait."""
SOON: Final = timedelta(minutes=30)
"""How long before its end a request needs attention."""
MAY_ASK: Final = ("messaging.bulk_message", "rentals.rent_order")
MAY_OPEN: Final = (PERMISSION, "providers.view_approval", *MAY_ASK)
"""Any of them opens the inbox."""
MAY_LIMIT: Final = SETS_LIMITS


@dataclass(frozen=True, slots=True)
class Line:
    """One request, as the inbox and the hand-over show it."""

    approval: Approval
    url: str
    title: str
    size: str
    passed: list[PassedLine]
    waited: timedelta
    left: timedelta | None
    """Until it ends without a decision."""

    @property
    def is_late(self) -> bool:
        return self.waited > ALARM_AFTER or (self.left is not None and self.left < SOON)


def line_of(approval: Approval, now: datetime) -> Line:
    kind = kind_of(approval.kind)
    return Line(
        approval,
        reverse("admin:approval", args=[approval.public_id]),
        show(approval.title),
        kind.size_text(approval.count),
        stored_lines(approval),
        max(now - approval.asked_at, timedelta()),
        max(approval.due_at - now, timedelta()) if approval.due_at else None,
    )


def _all_waiting(request: HttpRequest) -> list[Approval]:
    rows = waiting().select_related("account", "asked_by").order_by("-asked_at", "-pk")
    return once(request, "waiting approvals", lambda: list(rows[:MOST]))


def waiting_for(request: HttpRequest) -> list[Approval]:
    """What this person may decide about now, oldest last."""
    if not request.user.has_perm(PERMISSION):
        return []
    return [one for one in _all_waiting(request) if may_decide(request.user, one)]


def asked_by(request: HttpRequest) -> list[Approval]:
    return [one for one in _all_waiting(request) if one.asked_by_id == request.user.pk]


def badge(request: HttpRequest) -> int:
    return len(waiting_for(request))


def may_open(user: User | AnonymousUser) -> bool:
    return any(map(user.has_perm, MAY_OPEN))


def may_read(user: User | AnonymousUser, approval: Approval) -> bool:
    """Whether this person may open a request. Its account, size and reason are shown there."""
    own = approval.asked_by_id == user.pk and any(map(user.has_perm, MAY_ASK))
    return own or user.has_perm(PERMISSION) or user.has_perm("providers.view_approval")


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    now = clock.now()
    url = reverse("admin:approvals")
    late = [one for one in waiting_for(request) if line_of(one, now).is_late]
    text = ngettext(
        "%(count)d request has waited long for your approval or ends soon",
        "%(count)d requests have waited long for your approval or end soon",
        len(late),
    )
    yield from counted_item(len(late), text, url, "approval")
    if not any(map(request.user.has_perm, MAY_ASK)):
        return
    own = [one for one in asked_by(request) if line_of(one, now).is_late]
    text = ngettext(
        "%(count)d of your requests has waited long for approval or ends soon",
        "%(count)d of your requests have waited long for approval or end soon",
        len(own),
    )
    yield from counted_item(len(own), text, url, "approval")


def limit_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """Limits that are set and do not apply."""
    if not request.user.has_perm(MAY_LIMIT):
        return
    if ApprovalLimit.objects.exists() and not are_on():
        text = gettext(
            "Approval limits are set but do not apply: two people must be able to approve"
        )
        yield AttentionItem(text, reverse("admin:approval_limits"), "approval")
