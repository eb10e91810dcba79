"""What a person has under way: open codes, orders, messages and batches, for the dashboard."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.admin.pages import current_user, fragment, new_form_token
from core.countries import country_name
from core.masking import shown_number
from core.visibility import may_see_whole
from messaging.admin.message_page import line_of
from messaging.models import Message
from messaging.presentation.labels import shown_state as shown_message_state
from otp.models import Session
from otp.states import OPEN as OPEN_SESSIONS
from providers import clock
from rentals.admin import board
from rentals.same_number import RunningNumbers

from .running_batches import batch_lines

MOST_CODES: Final = 8
MOST_ORDERS: Final = 8
MESSAGES: Final = 10
MOST_BATCHES: Final = 3


def has_day(request: HttpRequest) -> bool:
    """Whether the person does work that has a day: sends, rents or checks."""
    may = request.user.has_perm
    return any(map(may, ("messaging.send_message", "otp.send_code", "rentals.rent_order")))


def my_day_context(request: HttpRequest) -> dict[str, Any]:
    may = request.user.has_perm
    return {
        "form_token": new_form_token(),
        "may_send": may("messaging.send_message"),
        "may_send_code": may("otp.send_code"),
        "may_rent": may("rentals.rent_order"),
        "codes": _codes(request) if may("otp.view_session") else None,
        "orders": _orders(request) if may("rentals.view_order") else None,
        "messages_": _messages(request) if may("messaging.view_message") else None,
        "batches": _batches(request) if may("messaging.view_batch") else [],
    }


@fragment()
def my_day(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/my_day.html", my_day_context(request))


def _codes(request: HttpRequest) -> dict[str, Any]:
    person = current_user(request)
    rows = Session.objects.filter(
        created_by=person, state__in=OPEN_SESSIONS, expires_at__gt=clock.now()
    ).select_related("account")
    found = list(rows.order_by("expires_at")[: MOST_CODES + 1])
    return {
        "may_check": person.has_perm("otp.check_code"),
        "is_cut": len(found) > MOST_CODES,
        "url": f"{reverse('admin:otp_session_changelist')}?created_by__id__exact={person.pk}",
        "rows": [
            {
                "session": session,
                "number": shown_number(
                    session.recipient, whole=may_see_whole(session, request.user)
                ),
                "url": reverse("admin:otp_session_change", args=[session.public_id]),
                "check_url": reverse("admin:otp_session_check", args=[session.public_id]),
                "left": session.seconds_left,
                "token": new_form_token(),
            }
            for session in found[:MOST_CODES]
        ],
    }


def _orders(request: HttpRequest) -> dict[str, Any]:
    orders = list(board.rows_of(request, board.MINE)[: MOST_ORDERS + 1])
    running = RunningNumbers(orders)
    return {
        "is_cut": len(orders) > MOST_ORDERS,
        "rows": [board.row_of(order, request, running) for order in orders[:MOST_ORDERS]],
    }


def _messages(request: HttpRequest) -> dict[str, Any]:
    person = current_user(request)
    rows = Message.objects.filter(created_by=person, batch=None).select_related("account", "batch")
    return {
        "url": f"{reverse('admin:messaging_message_changelist')}?created_by__id__exact={person.pk}",
        "rows": [
            {
                "message": message,
                "state": shown_message_state(message),
                "number": shown_number(message.recipient, whole=whole),
                "line": line_of(message, whole=whole),
                "country": country_name(message.country),
                "url": reverse("admin:messaging_message_change", args=[message.public_id]),
            }
            for message in rows.order_by("-created_at", "-pk")[:MESSAGES]
            for whole in [may_see_whole(message, request.user)]
        ],
    }


def _batches(request: HttpRequest) -> list[dict[str, Any]]:
    person = request.user.pk
    return batch_lines(Q(created_by=person) | Q(answerable=person), MOST_BATCHES)
