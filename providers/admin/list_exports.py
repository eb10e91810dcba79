"""What the lists of accounts, API calls and callbacks export. No export contains their bodies."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import label_for
from core.admin.list_export import Column, ListExport

from ..presentation.callback_texts import report_text
from ..presentation.labels import operation_label


def account_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "Name"), lambda one: one.name),
        Column(pgettext_lazy("column", "Provider"), lambda one: one.provider_name),
        Column(
            pgettext_lazy("column", "State"),
            lambda one: label_for("account", one.facts.state).word,
        ),
        Column(pgettext_lazy("column", "Available"), lambda one: one.facts.balance.amount),
        Column(_("Balance as of"), lambda one: one.facts.balance.read_at),
        Column(_("Calls per second"), lambda one: one.per_second),
        Column(_("Calls per minute"), lambda one: one.per_minute),
        Column(_("Last call"), lambda one: one.last_call_at),
    ]


def call_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "Time"), lambda call: call.started_at),
        Column(pgettext_lazy("column", "Account"), lambda call: call.account.name),
        Column(pgettext_lazy("column", "Operation"), lambda call: operation_label(call.operation)),
        Column(
            pgettext_lazy("column", "Outcome"),
            lambda call: label_for("api_call", call.outcome).word,
        ),
        Column(_("HTTP status"), lambda call: call.http_status),
        Column(_("Duration (s)"), lambda call: f"{call.duration:.3f}"),
        Column(_("Related to"), lambda call: strip_tags(str(call.subject_html))),
    ]


def callback_columns(_reader: User) -> list[Column]:
    return [
        Column(_("Received at"), lambda one: one.received_at),
        Column(pgettext_lazy("column", "Account"), lambda one: one.account.name),
        Column(pgettext_lazy("column", "Report"), report_text),
        Column(_("Related to"), lambda one: strip_tags(str(one.subject_html))),
        Column(_("Times received"), lambda one: one.times),
        Column(pgettext_lazy("column", "State"), lambda one: label_for("callback", one.state).word),
        Column(pgettext_lazy("column", "Id"), lambda one: one.public_id),
    ]


ACCOUNTS: Final = ListExport("accounts", account_columns)
CALLS: Final = ListExport("api-calls", call_columns)
CALLBACKS: Final = ListExport("callbacks", callback_columns)
