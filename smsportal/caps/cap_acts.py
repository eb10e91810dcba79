"""The sentences of acts on caps, and what their subjects are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe
from core.punctuation import label_text
from providers.journal import register_subject_resolver
from providers.models import CapExemption, DailyLimit

from .cap_texts import (
    key_text,
    kind_text,
    names_of_accounts,
    names_of_people,
    subject_of,
)

_KINDS: Final[Mapping[str, object]] = dict([*DailyLimit.What.choices, *DailyLimit.Window.choices])


def register() -> None:
    register_subject_resolver("cap", _caps)
    none = _("no cap of its own")
    describe(
        "cap.change",
        Area.STAFF,
        _(
            "Changed the cap of %(subject)s: %(what_is_limited)s, %(window)s, from %(before)s to"
            " %(most)s"
        ),
        _("Changed the cap of %(subject)s"),
        shown={"what_is_limited": _word, "window": _word},
        of_none={"most": none, "before": none},
    )
    register_subject_resolver("exemption", _exemptions)
    describe("cap.exempt", Area.STAFF, _("Exempted from caps: %(subject)s"))
    describe("cap.end_exemption", Area.STAFF, _("Ended early an exemption from caps: %(subject)s"))


def _word(value: object) -> object:
    return _KINDS.get(str(value), value)


def _caps(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    rows = list(DailyLimit.objects.filter(pk__in=identities).select_related("user", "group"))
    names = names_of_accounts(rows)
    url = reverse("admin:providers_dailylimit_changelist")
    return {str(one.pk): (label_text(kind_text(one), subject_of(one, names)), url) for one in rows}


def _exemptions(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    rows = list(CapExemption.objects.filter(public_id__in=identities))
    people, accounts = names_of_people(rows), names_of_accounts(rows)
    url = reverse("admin:providers_capexemption_changelist")
    return {
        one.public_id: (
            key_text(one.scope, one.key, people if one.scope == "user" else accounts),
            url,
        )
        for one in rows
    }
