"""What the lists of messages, batches, templates and the do-not-send list export."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import label_for
from core.admin.list_export import Column, ListExport, fields
from core.countries import country_name
from core.masking import exported_number
from core.people import person_name
from core.visibility import may_export_whole

from .. import log_texts
from ..models import DoNotSend, Message, Template
from ..presentation.batch_labels import shown_state as batch_state
from ..presentation.explanations import title_of
from ..presentation.labels import shown_state
from ..presentation.visibility import REVEAL, shown_text


def columns_for(user: User) -> list[Column]:
    def sees(message: Message) -> bool:
        return may_export_whole(message, user)

    return [
        Column(pgettext_lazy("column", "Time"), lambda m: m.created_at),
        Column(
            pgettext_lazy("column", "State"), lambda m: label_for("message", shown_state(m)).word
        ),
        Column(
            pgettext_lazy("column", "Recipient"),
            lambda m: exported_number(m.recipient, whole=sees(m)),
        ),
        Column(pgettext_lazy("column", "Country/region"), lambda m: country_name(m.country)),
        Column(pgettext_lazy("column", "Text"), lambda m: shown_text(m, whole=sees(m))),
        Column(pgettext_lazy("column", "Segments"), lambda m: m.segments),
        Column(pgettext_lazy("column", "Account"), lambda m: m.account.name),
        Column(_("Sender ID"), lambda m: m.sender_id),
        Column(_("Sent by"), lambda m: person_name(m.created_by)),
        Column(pgettext_lazy("column", "Row"), lambda m: m.batch_row),
        Column(pgettext_lazy("column", "Reason"), lambda m: title_of(m) if m.reason else ""),
        Column(_("Our reference"), lambda m: m.reference),
        Column(_("Provider's id"), lambda m: m.provider_id),
        Column(_("Submitted at"), lambda m: m.handed_over_at),
        Column(pgettext_lazy("column", "Answered at"), lambda m: m.answered_at),
        Column(_("Reported at"), lambda m: m.reported_at),
    ]


EXPORT: Final = ListExport(
    "messages",
    columns_for,
    permission="messaging.export_message",
    reveal=REVEAL,
    logged=log_texts.EXPORTED,
)


def batch_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "Time"), lambda b: b.created_at),
        Column(pgettext_lazy("column", "State"), lambda b: label_for("batch", batch_state(b)).word),
        Column(_("Recipients file"), lambda b: b.file_name or b.get_source_display()),
        Column(pgettext_lazy("column", "Account"), lambda b: b.account.name),
        Column(pgettext_lazy("column", "Recipients"), lambda b: b.good),
        Column(pgettext_lazy("column", "Segments"), lambda b: b.segments),
        Column(_("Created by"), lambda b: person_name(b.created_by)),
        Column(pgettext_lazy("column", "Id"), lambda b: b.public_id),
    ]


def do_not_send_columns(reader: User) -> list[Column]:
    def number(entry: DoNotSend) -> str:
        return exported_number(entry.number, whole=may_export_whole(entry, reader))

    return [
        Column(_("Phone number"), number),
        Column(pgettext_lazy("column", "Reason"), lambda e: e.because),
        Column(_("Added by"), lambda e: person_name(e.added_by)),
        Column(_("Added at"), lambda e: e.added_at),
        Column(_("Removed by"), lambda e: person_name(e.removed_by) if e.removed_at else ""),
        Column(_("Removed at"), lambda e: e.removed_at),
    ]


BATCHES: Final = ListExport("batches", batch_columns)
TEMPLATES: Final = ListExport("templates", fields(Template, "name", "text", "in_use"))
DO_NOT_SEND: Final = ListExport("do-not-send", do_not_send_columns, reveal=REVEAL)
