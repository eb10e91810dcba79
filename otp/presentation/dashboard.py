"""Attention items for low code conversion, on the dashboard and the list."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.attention import AttentionItem

from ..conversion import Alarm, alarms

SHOWN_DIGITS = 3
"""Digits of a prefix that readers of masked numbers see. The list shows the last four digits of
each number, so more digits here would disclose the whole number."""


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    if not request.user.has_perm("otp.view_session"):
        return
    for alarm in alarms():
        yield AttentionItem(alarm_text(alarm, request.user), _alarm_url(alarm), "trending_down")


def alarm_text(alarm: Alarm, reader: User | AnonymousUser) -> str:
    values = {
        "percent": alarm.percent,
        "sent": alarm.sent,
        "prefix": _shown_prefix(alarm.prefix, reader),
        "account": alarm.account,
    }
    if alarm.kind == "burst":
        return (
            _("Unusual volume: %(sent)s codes sent to %(prefix)s in the last 10 minutes.") % values
        )
    if alarm.account:
        return _("Low verified share on %(account)s: %(percent)s%% in the last hour.") % values
    return _("Low verified share for %(prefix)s: %(percent)s%% in the last hour.") % values


def _shown_prefix(prefix: str, reader: User | AnonymousUser) -> str:
    if reader.has_perm("messaging.reveal_message"):
        return f"{prefix}…"
    shown = len("+86") + SHOWN_DIGITS
    return f"{prefix[:shown]}…"


def _alarm_url(alarm: Alarm) -> str:
    kind = "account_of" if alarm.account else "range_of"
    query = urlencode({"alarm": f"{alarm.kind}-{kind}-{alarm.example}"})
    return f"{reverse('admin:otp_session_changelist')}?{query}"
