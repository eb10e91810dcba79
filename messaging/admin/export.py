"""Export of the filtered list of messages, masked like the list itself."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.actions import export_filters, log_export
from core.admin.changelist import filtered
from core.admin.export_slots import claim_slot
from core.admin.exports import Column, export, requested_format
from core.admin.labels import label_for
from core.admin.pages import NeedsPermission, current_user
from core.admin.protocols import ModelPages
from core.countries import country_name
from core.people import person_name
from core.phone import mask
from core.visibility import may_export_whole

from .. import log_texts
from ..models import Message
from ..presentation.explanations import title_of
from ..presentation.labels import shown_state
from ..presentation.visibility import shown_text

PERMISSION: Final = "messaging.export_message"
CHUNK_SIZE: Final = 1_000


def messages_as_file(admin: ModelPages, request: HttpRequest) -> HttpResponseBase:
    """Export the filtered messages as a file, and log the export.

    Staff who may reveal messages get whole numbers and texts. Raises `NeedsPermission`.
    """
    if not request.user.has_perms((PERMISSION, "messaging.view_message")):
        raise NeedsPermission(PERMISSION)
    format_ = requested_format(request)
    slot = claim_slot(request)
    rows = filtered(admin, request)
    slot.check_length(rows)
    logged = log_texts.EXPORTED.store(format=format_.upper(), filters=export_filters(request))
    log_export(request, Message, logged, count=rows.count())
    columns = columns_for(current_user(request))
    return export("messages", columns, rows.iterator(chunk_size=CHUNK_SIZE), format_, slot)


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
