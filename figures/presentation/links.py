"""The list of exactly the rows that a figure counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from messaging.presentation.labels import MARKED_SENT, NO_REPORTS, REPORT_OVERDUE
from messaging.states import MessageState
from rentals.states import OrderState

from ..cuts import By, Period
from ..models import Figure
from ..summaries import Subject

INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _List:
    url_name: str
    permission: str
    parameters: Mapping[By, str]
    shown: Mapping[str, tuple[str, ...]]
    """States that the list shows under several labels."""


LISTS: Final = {
    Subject.MESSAGES: _List(
        "admin:messaging_message_changelist",
        "messaging.view_message",
        {
            By.ACCOUNT: "account__id__exact",
            By.PERSON: "created_by__id__exact",
            By.COUNTRY: "country",
            By.REASON: "reason",
        },
        {
            MessageState.QUEUED: (MessageState.QUEUED, MessageState.SENDING),
            MessageState.HELD: (MessageState.HELD, "on_hold"),
            MessageState.SUBMITTED: (
                MessageState.SUBMITTED,
                NO_REPORTS,
                REPORT_OVERDUE,
                MARKED_SENT,
            ),
        },
    ),
    Subject.CODES: _List(
        "admin:otp_session_changelist",
        "otp.view_session",
        {
            By.ACCOUNT: "account__id__exact",
            By.PERSON: "created_by__id__exact",
            By.COUNTRY: "country",
        },
        {},
    ),
    Subject.NUMBERS: _List(
        "admin:rentals_order_changelist",
        "rentals.view_order",
        {By.ACCOUNT: "account__id__exact", By.COUNTRY: "region"},
        {OrderState.QUEUED: (OrderState.QUEUED, OrderState.PLACING)},
    ),
}
KIND_PARAMETERS: Final = {
    Figure.Kind.TEXT: [Message.Kind.TEXT],
    Figure.Kind.CODE: [Message.Kind.OWN_CODE, Message.Kind.PROVIDER_CODE],
}


def rows_url(
    request: HttpRequest,
    subject: Subject,
    period: Period,
    *,
    where: Mapping[By, Any] | None = None,
    states: Iterable[str] = (),
    until: datetime | None = None,
) -> str:
    """The address of the list; empty if it cannot be filtered so or may not be opened."""
    listed = LISTS[subject]
    if not request.user.has_perm(listed.permission):
        return ""
    query: list[tuple[str, str]] = []
    for by, value in (where or {}).items():
        if value in (None, "") or by not in listed.parameters:
            return ""
        query.append((listed.parameters[by], str(value)))
    for state in states:
        query += [("shown", shown) for shown in listed.shown.get(state, (state,))]
    last = period.stop - INSTANT
    query += _moment("from", period.start)
    query += _moment("to", min(last, until) if until else last)
    return f"{reverse(listed.url_name)}?{urlencode(query)}"


def _moment(side: str, at: datetime) -> list[tuple[str, str]]:
    local = timezone.localtime(at)
    clock = f"{local:%H:%M:%S}.{local.microsecond:06}" if local.microsecond else f"{local:%H:%M:%S}"
    return [
        (f"created_at_{side}_0", f"{local:%Y-%m-%d}"),
        (f"created_at_{side}_1", clock),
    ]
