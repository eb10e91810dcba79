"""Filters of the audit log."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, MultipleDropdownFilter

from core.act_sentences import Area, kinds_of
from core.admin.filters import LocalTimeFilter, RecentFilter, RelatedFilter, Splits
from providers.journal import subject_link

from ..subject_kinds import BY_KEY, KINDS

AREAS: Final[dict[Area, Promise]] = {
    Area.SIGN_IN: _("Signing in and out"),
    Area.SEND: _("Sending and cancelling"),
    Area.OUTCOME: _("Setting outcomes"),
    Area.REVEAL: pgettext_lazy("choice", "Revealing"),
    Area.EXPORT: pgettext_lazy("choice", "Exporting"),
    Area.ACCOUNT: _("Changing accounts and lists"),
    Area.STAFF: _("Changing staff, roles and limits"),
    Area.HOLD: _("Deciding about what is on hold"),
    Area.OTHER: pgettext_lazy("choice", "Other"),
}
LONGEST_SUBJECT: Final = 64


class AreaFilter(Splits, MultipleDropdownFilter):
    """What an act is about. Each kind of act has its part of an index."""

    title = pgettext_lazy("field", "Act")
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(area), str(word)) for area, word in AREAS.items()]

    def conditions(self) -> list[Q]:
        chosen = dict.fromkeys(self.value() or [])
        return [Q(what=what) for area in chosen for what in kinds_of(area)]


class SubjectKindFilter(Splits, MultipleDropdownFilter):
    """What kind of thing an act was done to."""

    title = pgettext_lazy("field", "Done to")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.key, str(kind.label)) for kind in KINDS]

    def conditions(self) -> list[Q]:
        chosen = dict.fromkeys(self.value() or [])
        return [part for key in chosen if key in BY_KEY for part in BY_KEY[key].conditions()]


class SubjectFilter(DropdownFilter):
    """What was done to one subject, `kind:id`, which the link from its page names."""

    title = pgettext_lazy("field", "About")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")[:LONGEST_SUBJECT]
        if not asked:
            return []
        link = subject_link(asked)
        return [(asked, link[0] if link else asked)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(subject=value[:LONGEST_SUBJECT]) if value else queryset


class PeriodFilter(RecentFilter):
    field_name = "at"


FILTERS: Final = (
    PeriodFilter,
    ("by", RelatedFilter),
    AreaFilter,
    SubjectKindFilter,
    SubjectFilter,
    ("at", LocalTimeFilter),
)
