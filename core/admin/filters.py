"""List filters that the admin theme lacks or implements differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any, ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext, pgettext, pgettext_lazy
from unfold.contrib.filters.admin import (
    DropdownFilter,
    MultipleDropdownFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
)
from unfold.contrib.filters.forms import RangeDateTimeForm

from core.countries import country_name
from core.distinct_values import distinct_values
from core.fixed_moment import fixed_or
from core.local_time import LocalDateTimeField, earliest_moment, latest_moment
from core.people import person_name

from .buttons import Text
from .labels import states_of
from .row_requests import wants_choices

EARLIEST: Final = 1900
LATEST: Final = 9000
"""Years. Near the ends of the calendar a time zone conversion overflows."""


class LocalRangeForm(RangeDateTimeForm):
    """The theme's two fields, with a message beside a time that does not exist."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(name, *args, **kwargs)
        for side in ("from", "to"):
            theirs = self.fields[f"{name}_{side}"]
            self.fields[f"{name}_{side}"] = LocalDateTimeField(
                label=theirs.label, required=False, widget=theirs.widget
            )


class LocalTimeFilter(RangeDateTimeFilter):
    """Filters by a start and an end in the reader's time zone.

    A date without a time means the whole day. An invalid value is ignored.
    """

    form_class = LocalRangeForm

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start, end = self.period
        if start is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": start})
        if end is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lte": end})
        return queryset

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """The chosen start and end.

        A time that occurs twice includes both, and one that does not exist is where clocks skip.
        """
        start = self._local_time("from", time.min)
        end = self._local_time("to", time.max)
        return start and earliest_moment(start), end and latest_moment(end)

    def _local_time(self, side: str, default: time) -> datetime | None:
        typed = [
            str(self.used_parameters.get(f"{self.parameter_name}_{side}_{part}") or "")
            for part in (0, 1)
        ]
        try:
            day, clock = parse_date(typed[0]), parse_time(typed[1]) if typed[1] else default
        except ValueError:
            return None
        if day is None or clock is None or not EARLIEST <= day.year <= LATEST:
            return None
        return datetime.combine(day, clock.replace(tzinfo=None))


SAVED: Final = "saved"
"""The parameter that names the saved filter with which a list was opened."""
NOT_FILTERS: Final = frozenset({"p", "o", "e", "_facets", SAVED})
"""Query parameters that page or sort, but do not filter."""


def filter_name(offered: Any) -> str:
    """The field or parameter name of one entry of `list_filter`."""
    if isinstance(offered, tuple):
        return str(offered[0])
    return str(getattr(offered, "parameter_name", offered))


class StoredChoices:
    """A filter whose choices are read from the database, if they are shown."""

    request: HttpRequest
    parameter_name: str

    def stored_choices(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        is_shown = wants_choices(request, self.parameter_name)
        return self.stored_choices(request, model_admin) if is_shown else []

    def has_output(self) -> bool:
        # Without output, Django would not apply the filter.
        is_unread = not wants_choices(self.request, self.parameter_name)
        shown: bool = is_unread or super().has_output()  # type: ignore[misc]
        return shown


class RelatedFilter(RelatedDropdownFilter):
    """Rows of one account or person."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        if not wants_choices(request, *self.expected_parameters()):
            return []
        related = field.remote_field.model
        if issubclass(related, AbstractBaseUser):
            people = related._default_manager.order_by("first_name", "username")
            named = people.only("pk", "username", "first_name", "last_name")
            return [(person.pk, person_name(person)) for person in named]
        ordering = self.field_admin_ordering(field, request, model_admin)
        rows = related._default_manager.order_by(*(ordering or related._meta.ordering))
        # Whole rows would be read only for their names.
        return list(rows.values_list("pk", "name"))

    def has_output(self) -> bool:
        is_unread = not wants_choices(self.request, *self.expected_parameters())
        return is_unread or bool(super().has_output())


class RecentFilter(DropdownFilter):
    """Limits the first view of a list to recent rows, with a chip that removes the limit.

    The default applies only if no other filter or search is active, so that the count on a tab or
    a badge always matches its list. The subclass names the field and the periods.
    """

    title = pgettext_lazy("field", "Period")
    parameter_name = "period"
    field_name = "created_at"
    default_period = "7"
    """The period of the first view: `today` (in the reader's time zone) or a number of days."""
    periods: ClassVar[tuple[str, ...]] = ("7", "30")

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        filters = set(request.GET) - NOT_FILTERS
        self.is_first_view = not any(request.GET.get(name) for name in filters)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = self._words()
        return [*((period, words[period]) for period in self.periods), ("all", words["all"])]

    @staticmethod
    def _words() -> dict[str, str]:
        return {
            "today": pgettext("choice", "Today"),
            "7": gettext("Last 7 days"),
            "30": gettext("Last 30 days"),
            "all": gettext("All time"),
        }

    @property
    def default_chip(self) -> tuple[str, str] | None:
        """The text of the chip on the first view, and the value that removes the limit."""
        return (self._words()[self.default_period], "all") if self.is_first_view else None

    @property
    def chosen(self) -> str:
        """The active period; empty for all times."""
        period = self.default_period if self.is_first_view else self.value()
        return str(period) if period in self.periods else ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.chosen:
            return queryset
        now = timezone.localtime(fixed_or(timezone.now()))
        since = (
            now.replace(hour=0, minute=0, second=0, microsecond=0)
            if self.chosen == "today"
            else now - timedelta(days=int(self.chosen))
        )
        return queryset.filter(**{f"{self.field_name}__gte": since})


class Splits:
    """A filter that is one condition or several, of which each row meets one at most.

    A list reads the newest rows of each condition from its own index and merges them. Joined by
    OR, a database would sort all rows that meet any of them.
    """

    is_split = False
    """Whether the list applies the conditions, instead of `queryset`."""

    def conditions(self) -> list[Q]:
        """The chosen conditions; none if the filter is not used."""
        raise NotImplementedError

    @cached_property
    def chosen(self) -> list[Q]:
        """`conditions`, which may ask the database, found once."""
        return self.conditions()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.is_split else self.narrow(queryset)

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reduce(or_, self.chosen)) if self.chosen else queryset


class AnyOfFilter(Splits, MultipleDropdownFilter):
    """Rows whose field is any of the chosen values.

    The subclass names the field and defines the choices by `words` or `lookups`.
    """

    field_name: ClassVar[str]
    words: ClassVar[Mapping[str, Text]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(word)) for value, word in self.words.items()]

    def conditions(self) -> list[Q]:
        # Nobody looks for an empty value, and without it a partial index serves the others.
        chosen = [value for value in dict.fromkeys(self.value() or []) if value]
        return [Q(**{self.field_name: value}) & ~Q(**{self.field_name: ""}) for value in chosen]


class OneOfFilter(DropdownFilter):
    """Rows whose field is the chosen value. The subclass defines the field and `lookups`."""

    field_name: ClassVar[str]
    ordering: ClassVar[Sequence[str]] = ()
    """The order that an index has for these rows, if it is the usual order of the list for them."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.field_name: value}) if value else queryset


class StateFilter(Splits, MultipleDropdownFilter):
    """Filters by state label, including derived states.

    The subclass sets `kind`, the kind of labels, and implements `where`.
    """

    title = pgettext_lazy("field", "State")
    parameter_name = "shown"
    kind: ClassVar[str]
    excluded: ClassVar[frozenset[str]] = frozenset({"claimed"})
    """States that share a label with another state."""

    def where(self, shown: str) -> Q:
        """The condition for rows that have the label of the state `shown`."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = states_of(self.kind)
        return [(key, str(one.word)) for key, one in labels.items() if key not in self.excluded]

    def parts(self, shown: str) -> list[Q]:
        """`where` as several conditions, each of which an index serves."""
        return [self.where(shown)]

    def conditions(self) -> list[Q]:
        known = states_of(self.kind)
        chosen = [value for value in dict.fromkeys(self.value() or []) if value in known]
        return [part for value in chosen for part in self.parts(value)]


class CountryFilter(StoredChoices, OneOfFilter):
    """Filters by the countries that occur in the table. The subclass may set the field."""

    title = pgettext_lazy("field", "Country/region")
    parameter_name = "country"
    field_name = "country"

    def stored_choices(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = distinct_values(model_admin.model, self.field_name)
        return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])
