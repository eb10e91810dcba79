"""The page for the change of shift: what is open, until when, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import F
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.labels import state_label
from core.admin.pages import NeedsPermission, Page, current_user
from core.countries import country_name
from core.masking import shown_number
from core.people import person_name
from core.visibility import may_see_whole
from lookup import notes
from lookup.note_kinds import TITLES, may_write, subjects_of
from messaging.admin.message_page import line_of
from messaging.models import Message
from messaging.on_hold import not_on_hold
from messaging.presentation.labels import shown_state as message_state
from messaging.states import MessageState
from otp.models import Session
from otp.presentation.labels import shown_state as session_state
from otp.states import OPEN as OPEN_SESSIONS
from providers import clock
from providers.approvals.rules import PERMISSION as APPROVE
from providers.models import Approval
from providers.presentation import approval_inbox
from rentals.catalogue import project_names
from rentals.models import Order
from rentals.presentation.labels import shown_state as order_state
from rentals.states import OrderState

from .running_batches import batch_lines

MOST: Final = 12
"""Rows of one part. Its list has the rest."""
NEEDS: Final = ("messaging.view_message", "otp.view_session", "rentals.view_order")


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: when it ends if `ends` is set, otherwise when it began."""

    url: str
    state: SafeString
    name: SafeString | str
    detail: str
    by: str
    at: datetime | None
    left: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    title: Promise | str
    url: str
    empty: Promise | str
    rows: list[Row]

    @property
    def shown(self) -> list[Row]:
        return self.rows[:MOST]

    @property
    def count(self) -> str:
        return f"{MOST}+" if len(self.rows) > MOST else str(len(self.rows))


class HandOverPage(Page, TemplateView):
    title = pgettext_lazy("title", "Hand-over")
    template_name = "portal/hand_over.html"
    http_method_names = ["get"]

    def has_permission(self) -> bool:
        return any(map(self.request.user.has_perm, NEEDS))

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(NEEDS[0])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = current_user(self.request)
        return super().get_context_data(
            as_of=clock.now(),
            parts=list(_parts(self.request)),
            for_me=_note_rows(notes.open_notes_for(person), person),
            by_me=_note_rows(notes.open_notes_given_by(person), person),
            most=MOST,
            batches=batch_lines() if person.has_perm("messaging.view_batch") else [],
            **kwargs,
        )


def _parts(request: HttpRequest) -> Iterator[Part]:
    may = request.user.has_perm
    yield from _approvals(request)
    if may("otp.view_session"):
        yield Part(
            "codes",
            _("Open codes"),
            reverse("admin:otp_session_changelist"),
            _("No code is open."),
            list(_open_codes(request)),
        )
    if may("rentals.view_order"):
        yield Part(
            "orders",
            _("Open orders, the next to end first"),
            reverse("admin:rentals_order_board"),
            _("No order is open."),
            list(_open_orders(request)),
        )
        yield Part(
            "unknown-orders",
            _("Orders with unknown outcome"),
            f"{reverse('admin:rentals_order_changelist')}?shown=unknown",
            _("Every outcome is known."),
            list(_unknown_orders(request)),
        )
    if may("messaging.view_message"):
        listed = reverse("admin:messaging_message_changelist")
        yield Part(
            "unknown-messages",
            _("Messages with unknown outcome"),
            f"{listed}?shown=unknown",
            _("Every outcome is known."),
            _messages(request, state=MessageState.UNKNOWN),
        )
        yield Part(
            "held",
            _("Messages that need confirmation"),
            f"{listed}?shown=held",
            _("No message waits for a decision."),
            _messages(request, state=MessageState.HELD),
        )


def _approvals(request: HttpRequest) -> Iterator[Part]:
    url, now = reverse("admin:approvals"), clock.now()
    if request.user.has_perm(APPROVE):
        yield Part(
            "approvals-for-me",
            _("Approvals waiting for me"),
            url,
            _("Nothing waits for your approval."),
            [_approval(one, now) for one in approval_inbox.waiting_for(request)],
        )
    if own := approval_inbox.asked_by(request):
        rows = [_approval(one, now) for one in own]
        yield Part("approvals-by-me", _("Waiting for approval, requested by me"), url, "", rows)


def _approval(approval: Approval, now: datetime) -> Row:
    line = approval_inbox.line_of(approval, now)
    return Row(
        line.url,
        state_label("approval", approval.state),
        line.title,
        f"{line.size} · {approval.account.name}",
        person_name(approval.asked_by),
        approval.due_at or approval.asked_at,
        line.left,
    )


def _open_codes(request: HttpRequest) -> Iterator[Row]:
    now = clock.now()
    rows = Session.objects.filter(state__in=sorted(OPEN_SESSIONS), expires_at__gt=now)
    for one in rows.select_related("account", "created_by").order_by("expires_at")[: MOST + 1]:
        yield Row(
            reverse("admin:otp_session_change", args=[one.public_id]),
            state_label("session", session_state(one)),
            shown_number(one.recipient, whole=may_see_whole(one, request.user)),
            one.account.name,
            person_name(one.created_by),
            one.expires_at,
            one.expires_at - now,
        )


def _open_orders(request: HttpRequest) -> Iterator[Row]:
    rows = Order.objects.filter(state=OrderState.PENDING)
    ordered = rows.order_by(F("expires_at").asc(nulls_first=True), "pk")
    yield from _orders(request, ordered)


def _unknown_orders(request: HttpRequest) -> Iterator[Row]:
    yield from _orders(
        request, Order.objects.filter(state=OrderState.UNKNOWN).order_by("-created_at")
    )


def _orders(request: HttpRequest, rows: Any) -> Iterator[Row]:
    names, now = project_names(), clock.now()
    for one in rows.select_related("account", "account__watch", "held_by", "hold")[: MOST + 1]:
        is_pending = one.state == OrderState.PENDING and one.expires_at
        yield Row(
            reverse("admin:rentals_order_change", args=[one.public_id]),
            state_label("order", order_state(one)),
            shown_number(one.phone, whole=may_see_whole(one, request.user))
            if one.phone
            else gettext("no number yet"),
            f"{names.get(one.project, one.project)} · {country_name(one.region)}",
            person_name(one.held_by),
            one.expires_at if is_pending else one.created_at,
            max(one.expires_at - now, timedelta()) if is_pending else None,
        )


def _messages(request: HttpRequest, state: MessageState) -> list[Row]:
    rows = Message.objects.filter(not_on_hold(), state=state).select_related(
        "account", "created_by", "batch"
    )
    found = []
    for one in rows.order_by("-created_at")[: MOST + 1]:
        whole = may_see_whole(one, request.user)
        found.append(
            Row(
                reverse("admin:messaging_message_change", args=[one.public_id]),
                state_label("message", message_state(one)),
                shown_number(one.recipient, whole=whole),
                line_of(one, whole=whole),
                person_name(one.created_by),
                one.created_at,
            )
        )
    return found


def _note_rows(rows: Any, person: User) -> list[dict[str, Any]]:
    found = list(rows.select_related("by", "assigned_to").order_by("-at")[: MOST + 1])
    return [
        {
            "note": note,
            "url": subject.url,
            "title": TITLES[note.kind],
            "name": subject.name(person),
            "by": person_name(note.by),
            "to": person_name(note.assigned_to),
            "may_finish": may_write(note.kind, person),
        }
        for note, subject in subjects_of(found)
    ]


def hand_over_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [path("hand-over/", site.admin_view(HandOverPage.as_view()), name="hand_over")]
