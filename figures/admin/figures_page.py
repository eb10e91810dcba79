"""The page of figures, and the same as a file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.generic import TemplateView

from core.acts import record_act
from core.admin.actions import export_filters
from core.admin.buttons import Text
from core.admin.charts import Share, Shares
from core.admin.exports import Column, export, requested_format
from core.admin.pages import NeedsPermission, Page, current_user
from providers import clock

from ..cuts import By, Period
from ..presentation import charts, words
from ..presentation.links import rows_url
from ..presentation.tables import Table, TableLine, table_of
from ..presentation.today import VIEW
from ..roll_up import complete_at
from ..summaries import Outcome, Subject, states_with, summaries
from .query_form import SPLITS, QueryForm

EXPORT: Final = "figures.export_figures"
MOST_REASONS: Final = 8
MONTHS: Final = 3


class FiguresPage(Page, TemplateView):
    title = pgettext_lazy("title", "Figures")
    permission_required = VIEW
    template_name = "figures/figures.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = QueryForm(self.request.GET, self.request.user)
        context = super().get_context_data(form=form, as_of=complete_at(), **kwargs)
        if not form.subjects:
            raise NeedsPermission("messaging.view_message")
        if form.is_valid():
            context |= shown_context(self.request, form)
        context["statements"] = statements() if self.request.user.has_perm(EXPORT) else []
        return context


def shown_context(request: HttpRequest, form: QueryForm) -> dict[str, Any]:
    now = complete_at() or clock.now()
    subject, period, past = form.subject_, form.period, form.past
    if form.split_ in (None, By.STATE, By.REASON):
        drawing: Any = charts.outcomes_over_time(
            request,
            subject,
            period,
            form.by_,
            past=past,
            past_word=_("%(days)s, total") % {"days": days_word(past)} if past else "",
            rows_where=form.chosen,
            now=now,
            where=form.where,
        )
    else:
        drawing = charts.lines_over_time(
            subject, period, form.by_, form.split_, now=now, where=form.where
        )
    table = _table(request, form)
    query = request.GET.copy()
    query.pop("format", None)
    return {
        "subject": subject,
        "subject_word": words.SUBJECTS[subject],
        "chart": drawing,
        "table": table,
        "split_word": column_word(form.split_),
        "past_word": days_word(past) if past else "",
        "period_word": days_word(period),
        "counts_only": form.split_ in (By.STATE, By.REASON),
        "has_durations": table.total.summary.took(0.5) is not None,
        "reasons": reasons_of(request, form, now) if subject is Subject.MESSAGES else None,
        "zone": timezone.get_current_timezone_name(),
        "until": now if period.start <= now < period.stop else None,
        "exports": [
            (kind.upper(), f"{reverse('admin:figures_export')}?{_with(query, format=kind)}")
            for kind in ("csv", "xlsx")
        ]
        if request.user.has_perm(EXPORT)
        else [],
    }


def _with(query: Any, **values: str) -> str:
    query = query.copy()
    for name, value in values.items():
        query[name] = value
    return str(query.urlencode())


def _table(request: HttpRequest, form: QueryForm) -> Table:
    return table_of(
        request,
        form.subject_,
        form.period,
        form.split_,
        past=form.past,
        where=form.where,
        chosen=form.chosen,
        now=complete_at() or clock.now(),
    )


def days_word(period: Period) -> str:
    """1 Nov – 24 Nov, with the year if it is not this one."""
    days = period.days()
    # Translators: a day, in Django's date format letters.
    this_year = days[0].year == days[-1].year == timezone.localdate().year
    form = pgettext("date format", "j M") if this_year else pgettext("date format", "j M Y")
    first, last = (date_format(day, form, use_l10n=False) for day in (days[0], days[-1]))
    return first if first == last else f"{first} – {last}"


def reasons_of(request: HttpRequest, form: QueryForm, now: Any) -> Shares:
    """Why messages failed, the most frequent first, each with its change."""
    failed = states_with(Subject.MESSAGES, Outcome.FAILED, Outcome.REFUSED)
    condition = Q(state__in=failed) & form.where if form.where else Q(state__in=failed)
    found = summaries(Subject.MESSAGES, form.period, By.REASON, where=condition)
    past = form.past
    before = summaries(Subject.MESSAGES, past, By.REASON, where=condition) if past else {}
    total = sum(line.total for line in found.values())
    name = words.names_of(By.REASON, [key[0] for key in found], Subject.MESSAGES)
    ranked = sorted(found.items(), key=lambda item: -item[1].total)[:MOST_REASONS]
    return Shares(
        title=_("Why messages were not delivered"),
        role="bad",
        shares=[
            Share(
                name(reason),
                line.total / total,
                f"{line.total:,}",
                note=words.growth(line.total, before[(reason,)].total if (reason,) in before else 0)
                if past
                else "",
                url=rows_url(
                    request,
                    Subject.MESSAGES,
                    form.period,
                    where={**form.chosen, By.REASON: reason},
                    states=failed,
                    until=now,
                )
                if reason
                else "",
            )
            for (reason,), line in ranked
        ],
    )


def statements() -> list[dict[str, Any]]:
    """Links to the figures of the running month and those before, by account and by person."""
    found = []
    first = timezone.localdate().replace(day=1)
    for _month in range(MONTHS):
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        last = min(last, timezone.localdate())
        for split, word in (
            (By.ACCOUNT, gettext_lazy("per account")),
            (By.PERSON, gettext_lazy("per person")),
        ):
            query = {"first": first.isoformat(), "last": last.isoformat(), "split": str(split)}
            export_url = reverse("admin:figures_export")
            found.append(
                {
                    "month": _month_word(first),
                    "per": word,
                    "url": f"{reverse('admin:figures')}?{urlencode(query)}",
                    "files": [
                        (kind.upper(), f"{export_url}?{urlencode({**query, 'format': kind})}")
                        for kind in ("csv", "xlsx")
                    ],
                }
            )
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def _month_word(first: date) -> str:
    # Translators: a month, in Django's date format letters.
    return date_format(first, pgettext("date format", "F Y"), use_l10n=False)


def figures_export(request: HttpRequest) -> HttpResponseBase:
    """The table as a file. Raises `NeedsPermission`."""
    if not request.user.has_perms((VIEW, EXPORT)):
        raise NeedsPermission(EXPORT)
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    format_ = requested_format(request)
    form = QueryForm(request.GET, request.user)
    if not form.subjects:
        raise NeedsPermission("messaging.view_message")
    if not form.is_valid():
        form = QueryForm({}, request.user)
        form.is_valid()
    table = _table(request, form)
    rows = [*table.lines, table.total]
    record_act(
        "export",
        by=current_user(request),
        rows="figures",
        count=len(rows),
        personal={"filters": export_filters(request)},
    )
    period = form.period.days()
    name = f"figures-{period[0]:%Y%m%d}-{period[-1]:%Y%m%d}"
    return export(name, export_columns(form), rows, format_)


def column_word(split: By | None) -> Text:
    """What the names of the lines are."""
    return SPLITS[split] if split else pgettext("column", "Figures")


def export_columns(form: QueryForm) -> list[Column]:
    split = form.split_
    period = days_word(form.period)
    columns = [
        Column(column_word(split), lambda line: line.name),
        Column(pgettext("column", "Period"), lambda line: period),
        Column(_("Time zone"), lambda line: timezone.get_current_timezone_name()),
        Column(pgettext("column", "All"), lambda line: line.summary.total),
        Column(pgettext("figures", "Accepted"), lambda line: line.summary.accepted),
        Column(words.OUTCOMES[form.subject_][Outcome.GOOD], lambda line: line.summary.succeeded),
        Column(
            words.OUTCOMES[form.subject_][Outcome.FAILED],
            lambda line: line.summary.count(Outcome.FAILED),
        ),
        Column(
            pgettext("figures", "Not accepted"), lambda line: line.summary.count(Outcome.REFUSED)
        ),
        Column(_("Outcome unknown"), lambda line: line.summary.count(Outcome.UNKNOWN)),
        Column(pgettext("column", "Segments"), lambda line: line.summary.segments),
        Column(_("Median (s)"), lambda line: _seconds(line, 0.5)),
        Column(_("95th percentile (s)"), lambda line: _seconds(line, 0.95)),
        Column(pgettext("figures", "Cost"), lambda line: "" if line.cost is None else line.cost),
        Column(_("Change of the balance"), lambda line: "" if line.moved is None else line.moved),
    ]
    if form.past:
        columns.append(
            Column(days_word(form.past), lambda line: line.before.accepted if line.before else "")
        )
    return columns


def _seconds(line: TableLine, share: float) -> str:
    value = line.summary.took(share)
    return "" if value is None else f"{value:.1f}"
