"""What the lists of caps and exemptions export. Numbers are masked."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.list_export import Column, ListExport, fields
from core.people import person_name
from providers.models import Account, CapExemption, DailyLimit

from .cap_texts import key_text, kind_text, subject_of


def limit_columns(reader: User) -> list[Column]:
    names = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
    return [
        Column(_("Applies to"), lambda one: subject_of(one, names)),
        Column(pgettext_lazy("column", "Kind"), kind_text),
        *fields(DailyLimit, "what", "window", "most")(reader),
        Column(_("Set by"), lambda one: person_name(one.set_by) if one.set_by else ""),
    ]


def exemption_columns(reader: User) -> list[Column]:
    names = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
    people = {str(one.pk): person_name(one) for one in User.objects.all()}

    def subject(one: CapExemption) -> str:
        return key_text(one.scope, one.key, people if one.scope == "user" else names)

    return [
        Column(_("Applies to"), subject),
        *fields(CapExemption, "scope", "because", "created_at", "ends_at")(reader),
        Column(_("Added by"), lambda one: person_name(one.created_by)),
        Column(_("Ended early at"), lambda one: one.ended_at),
    ]


LIMITS: Final = ListExport("daily-limits", limit_columns)
EXEMPTIONS: Final = ListExport("exemptions", exemption_columns)
