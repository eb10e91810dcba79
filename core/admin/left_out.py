"""Which filters of an address a list does not know. It says so instead of showing all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import MultipleDropdownFilter

from core.names import given_name
from core.punctuation import label_text

from .filters import LocalTimeFilter, Splits
from .saved_filters import plain_address

LEFT_OUT: Final = _("The filter “%(filter)s” is unknown and was left out.")
ALL_LEFT_OUT: Final = _("A filter in the address is unknown, so all its filters were left out.")
LONGEST_SHOWN: Final = 40


def list_without_filters(request: HttpRequest) -> HttpResponse:
    messages.warning(request, str(ALL_LEFT_OUT))
    return HttpResponseRedirect(plain_address(request))


def is_refusal(answer: HttpResponse) -> bool:
    """Whether Django's answer leads to the list without the filters that it could not apply."""
    return isinstance(answer, HttpResponseRedirect) and answer.url.endswith(f"?{ERROR_FLAG}=1")


def left_out_notes(changelist: Any, request: HttpRequest) -> Iterator[str]:
    """A sentence for each filter value of the address that narrows nothing."""
    rows = changelist.root_queryset
    found = [
        (spec.title, value)
        for spec in changelist.filter_specs
        for value in _unknown(spec, request, rows)
    ]
    found += [
        (_title_of(name, changelist), value)
        for name in changelist.unused_names
        for value in filter(None, request.GET.getlist(name))
    ]
    for title, value in found:
        shown = given_name(value)[:LONGEST_SHOWN]
        yield str(LEFT_OUT) % {"filter": label_text(title, shown)}


def unused_names(filter_params: Mapping[str, Any], specs: Any, rest: Any) -> list[str]:
    """The parameters of filters that Django dropped, since they offer no choice.

    `rest` are those that it applies without a filter.
    """
    used = {name for spec in specs for name in spec.expected_parameters()}
    return [name for name in filter_params if name not in used and name not in rest]


def _title_of(name: str, changelist: Any) -> Any:
    for offered in changelist.list_filter:
        if getattr(offered, "parameter_name", None) == name:
            return offered.title
    try:
        return changelist.lookup_opts.get_field(name.partition("__")[0]).verbose_name
    except FieldDoesNotExist:
        return name


def _unknown(spec: Any, request: HttpRequest, rows: QuerySet[Any]) -> Iterator[str]:
    if isinstance(spec, LocalTimeFilter):
        for side, moment in zip(("from", "to"), spec.period, strict=True):
            names = (f"{spec.parameter_name}_{side}_{part}" for part in (0, 1))
            typed = " ".join(str(spec.used_parameters.get(name) or "") for name in names).strip()
            if typed and moment is None:
                yield typed
    elif isinstance(spec, SimpleListFilter):
        offered = {str(choice[0]) for choice in spec.lookup_choices}
        values = dict.fromkeys(request.GET.getlist(str(spec.parameter_name)))
        unknown = (value for value in values if value and value not in offered)
        yield from (value for value in unknown if _narrows_nothing(spec, value, request, rows))


def _narrows_nothing(
    spec: SimpleListFilter, value: str, request: HttpRequest, rows: QuerySet[Any]
) -> bool:
    alone: Any = copy(spec)
    takes_several = isinstance(spec, MultipleDropdownFilter)
    alone.used_parameters = {str(spec.parameter_name): [value] if takes_several else value}
    if not isinstance(spec, Splits):
        return alone.queryset(request, rows) is rows
    vars(alone).pop("chosen", None)
    return alone.narrow(rows) is rows
