"""Export of the session list: numbers are masked as on the page, and codes never included."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import label_for
from core.admin.list_export import Column, ListExport
from core.countries import country_name
from core.masking import exported_number
from core.people import person_name
from core.stored_texts import declare
from core.visibility import may_export_whole

from ..models import Session
from ..presentation.labels import shown_state

EXPORTED: Final = declare("session.exported", _("Codes exported as %(format)s: %(count)s"))


def columns(reader: User) -> list[Column]:
    def number(session: Session) -> str:
        return exported_number(session.recipient, whole=may_export_whole(session, reader))

    return [
        Column(
            pgettext_lazy("column", "State"),
            lambda row: label_for("session", shown_state(row)).word,
        ),
        Column(pgettext_lazy("column", "Number"), number),
        Column(pgettext_lazy("column", "Country/region"), lambda row: country_name(row.country)),
        Column(pgettext_lazy("column", "Account"), lambda row: row.account.name),
        Column(pgettext_lazy("column", "Tries"), lambda row: row.tries),
        Column(_("Sent by"), lambda row: person_name(row.created_by)),
        Column(pgettext_lazy("column", "Time"), lambda row: row.created_at),
        Column(_("Sent at"), lambda row: row.sent_at),
        Column(_("Delivered at"), lambda row: row.delivered_at),
        Column(_("Verified at"), lambda row: row.verified_at),
        Column(pgettext_lazy("column", "Id"), lambda row: row.public_id),
    ]


EXPORT: Final = ListExport(
    "codes",
    columns,
    permission="otp.export_session",
    reveal="messaging.reveal_message",
    logged=EXPORTED,
)
