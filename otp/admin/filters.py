"""Filters of the session list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.changelist import PortalChangeList
from core.admin.filters import (
    CountryFilter,
    LocalTimeFilter,
    RecentFilter,
    RelatedFilter,
    Splits,
    StateFilter,
)
from core.admin.labels import states_of
from core.visibility import may_reveal
from providers import clock

from ..conversion import BURST_WITHIN, HOUR, alarms
from ..models import Session
from ..presentation.labels import shown_parts, where_shown
from ..presentation.sms_states import sms_parts


class ShownStateFilter(StateFilter):
    kind = "session"

    def where(self, shown: str) -> Q:
        return where_shown(shown)

    def parts(self, shown: str) -> list[Q]:
        return shown_parts(shown)


class MessageStateFilter(Splits, DropdownFilter):
    """Filters by the state of the session's newest message, which the list shows."""

    title = _("SMS state")
    parameter_name = "sms"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = states_of("message")
        return [(key, str(label.word)) for key, label in labels.items() if key != "claimed"]

    def conditions(self) -> list[Q]:
        value = self.value() or ""
        return sms_parts(value) if value in states_of("message") else []


class PeriodFilter(RecentFilter):
    """Starts with today, because codes matter while they are valid."""

    default_period = "today"
    periods = ("today", "7", "30")


class AlarmFilter(DropdownFilter):
    """Filters the sessions that an alarm is about.

    These share a prefix or an account with an example session. The URL contains only the example's
    public id, never the prefix.
    """

    title = pgettext_lazy("field", "Alert")
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "")
        return [(value, _t("the rows of an alert"))] if value else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        kind, _dash, rest = (self.value() or "").partition("-")
        by, _dash, example = rest.partition("-")
        if not example:
            return queryset
        found = Session.objects.filter(public_id=example).first()
        if found is None:
            return queryset.none()
        within = BURST_WITHIN if kind == "burst" else HOUR
        since = min(found.created_at, clock.now()) - within - timedelta(minutes=5)
        rows = queryset.filter(created_at__gt=since)
        if by == "account_of":
            return rows.filter(account=found.account_id)
        # Of any other session, the rows would tell which numbers share their hidden digits.
        if may_reveal(Session, request.user) or example in {one.example for one in alarms()}:
            return rows.filter(prefix=found.prefix)
        return queryset.none()


def period_of(listed: PortalChangeList) -> str:
    """Label of the period that the list is limited to; empty if it is not limited."""
    for spec in listed.filter_specs:
        if isinstance(spec, PeriodFilter) and spec.chosen:
            return str(dict(spec.lookup_choices)[spec.chosen])
    return ""


FILTERS: tuple[Any, ...] = (
    ShownStateFilter,
    ("account", RelatedFilter),
    MessageStateFilter,
    CountryFilter,
    ("created_by", RelatedFilter),
    PeriodFilter,
    ("created_at", LocalTimeFilter),
    AlarmFilter,
)
