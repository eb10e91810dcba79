"""Export of the filtered list of messages, masked like the list itself."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import label_for
from core.admin.list_export import Column, ListExport
from core.admin.timeline import person_name
from core.countries import country_name
from core.phone import mask
from core.visibility import may_export_whole

from .. import log_texts
from ..models import Message
from ..presentation.explanations import title_of
from ..presentation.labels import shown_state
from ..presentation.visibility import shown_text


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
            lambda m: m.recipient if sees(m) else mask(m.recipient),
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
    reveal="messaging.reveal_message",
    logged=log_texts.EXPORTED,
)
