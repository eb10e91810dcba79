"""Charts of the roll-up, by hour or day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.admin.charts import Lines, Series, Share, Shares, Slot, StackedBars, Tick, even_ticks
from core.admin.charts import day as day_word
from core.admin.charts.bases import Role
from messaging.presentation.labels import gives_reports
from providers.models import Account

from ..cuts import COUNT, By, Line, Period, classes_by, cut
from ..durations import BOUNDS, quantile
from ..slots import PER_HOUR
from ..summaries import KINDS, OUTCOMES, Outcome, Subject, Summary
from . import words
from .links import rows_url

ROLES: Final[Mapping[Outcome, Role]] = {
    Outcome.GOOD: "good",
    Outcome.OPEN: "wait",
    Outcome.SILENT: "plain",
    Outcome.FAILED: "bad",
    Outcome.REFUSED: "bad",
    Outcome.UNKNOWN: "warn",
}
MOST_LINES: Final = 4
HOUR: Final = timedelta(hours=1)


def starts_of(period: Period, by: By) -> list[Any]:
    return period.hours() if by is By.HOUR else period.days()


def part_of(period: Period, by: By, start: Any) -> Period:
    """The hour or day of the period that begins at `start`."""
    if by is By.DAY:
        whole = Period.of_days(start, start, period.zone)
    else:
        whole = Period.between(start, start, period.zone)
        whole = Period(whole.first, whole.first + PER_HOUR, period.zone)
    return Period(max(whole.first, period.first), min(whole.end, period.end), period.zone)


def label_of(period: Period, by: By, start: Any) -> str:
    """09:00–09:59, or 20 Nov"""
    if by is By.DAY:
        return day_word(timezone.make_aware(datetime.combine(start, time(12))))
    local = start.astimezone(period.zone)
    return f"{local:%H:%M}–{local + HOUR - timedelta(minutes=1):%H:%M}"


def ticks_of(period: Period, by: By, *, below_bars: bool = False) -> list[Tick]:
    starts = starts_of(period, by)
    if by is By.DAY:
        labels = [label_of(period, by, start) for start in starts]
        return even_ticks(labels, below_bars=below_bars)
    hours = [f"{start.astimezone(period.zone):%H}" for start in starts]
    return [
        Tick(index / len(hours), word, is_wide_only=bool(index % 6))
        for index, word in enumerate(hours)
        if index % 3 == 0
    ]


def outcomes_over_time(
    request: HttpRequest,
    subject: Subject,
    period: Period,
    by: By,
    *,
    now: datetime,
    past: Period | None = None,
    past_word: str = "",
    where: Q | None = None,
    rows_where: Mapping[By, Any] | None = None,
) -> StackedBars:
    """Counts by what became of the rows. What was cancelled before it left is not drawn."""
    only = Q(kind__in=KINDS[subject])
    condition = only & where if where else only
    counts: dict[tuple[Any, Outcome], int] = defaultdict(int)
    for (start, state), totals in cut(period, by, By.STATE, where=condition, sums=COUNT).items():
        counts[start, _drawn_as(subject, state)] += totals.count
    for start, count in _silent(subject, period, by, condition).items():
        counts[start, Outcome.OPEN] -= count
        counts[start, Outcome.SILENT] += count
    starts = starts_of(period, by)
    parts = [part_of(period, by, start) for start in starts]
    known = [part.start <= now for part in parts]
    series = [
        Series(
            word,
            [
                counts.get((start, outcome), 0) if is_known else None
                for start, is_known in zip(starts, known, strict=True)
            ],
            ROLES[outcome],
        )
        for outcome, word in words.OUTCOMES[subject].items()
    ]
    return StackedBars(
        title=_title(subject, by),
        slot_word=pgettext("column", "Hour") if by is By.HOUR else pgettext("column", "Day"),
        slots=[
            Slot(
                label_of(period, by, start),
                rows_url(request, subject, part, where=rows_where, until=now) if is_known else "",
            )
            for start, part, is_known in zip(starts, parts, known, strict=True)
        ],
        series=series,
        past=_past(subject, past, by, len(starts), past_word, where) if past else None,
        ticks=ticks_of(period, by, below_bars=True),
        running=_running(parts, now),
    )


def _drawn_as(subject: Subject, state: str) -> Outcome:
    outcome = OUTCOMES[subject].get(state, Outcome.OPEN)
    return Outcome.FAILED if outcome is Outcome.REFUSED else outcome


def _silent(subject: Subject, period: Period, by: By, where: Q) -> dict[Any, int]:
    """The messages that wait for a report which their provider never sends."""
    if subject is not Subject.MESSAGES:
        return {}
    silent = [one.pk for one in Account.objects.all() if not gives_reports(one)]
    if not silent:
        return {}
    condition = where & Q(state="submitted", account__in=silent)
    lines = cut(period, by, where=condition, sums=COUNT)
    return {start: totals.count for (start,), totals in lines.items()}


def _title(subject: Subject, by: By) -> str:
    return {
        (Subject.MESSAGES, By.HOUR): _("Messages per hour by state"),
        (Subject.MESSAGES, By.DAY): _("Messages per day by state"),
        (Subject.CODES, By.HOUR): _("Codes per hour by state"),
        (Subject.CODES, By.DAY): _("Codes per day by state"),
        (Subject.NUMBERS, By.HOUR): _("Rented numbers per hour by state"),
        (Subject.NUMBERS, By.DAY): _("Rented numbers per day by state"),
    }[subject, by]


def _past(
    subject: Subject, past: Period, by: By, length: int, word: str, where: Q | None
) -> Series:
    """The totals of the other period, place by place: the first day beside the first day."""
    only = Q(kind__in=KINDS[subject])
    lines = cut(past, by, By.STATE, where=only & where if where else only, sums=COUNT)
    counts: dict[Any, int] = defaultdict(int)
    for (start, state), totals in lines.items():
        if OUTCOMES[subject].get(state) is not Outcome.CANCELLED:
            counts[start] += totals.count
    values: list[int | None] = [counts.get(start, 0) for start in starts_of(past, by)[:length]]
    return Series(word, values + [None] * (length - len(values)))


def _running(parts: Sequence[Period], now: datetime) -> float:
    for part in parts:
        if part.start <= now < part.stop:
            return (now - part.start) / (part.stop - part.start)
    return 1.0


def time_to_delivery(period: Period, by: By, *, now: datetime, where: Q | None = None) -> Lines:
    only = Q(kind__in=KINDS[Subject.MESSAGES])
    condition = only & where if where else only
    classes = classes_by(period, by, where=condition)
    median = {key: quantile(counts, 0.5) for key, counts in classes.items()}
    slow = {key: quantile(counts, 0.95) for key, counts in classes.items()}
    starts = starts_of(period, by)
    return Lines(
        title=_("Delivery time"),
        slot_word=pgettext("column", "Hour") if by is By.HOUR else pgettext("column", "Day"),
        slots=[Slot(label_of(period, by, start)) for start in starts],
        series=[
            Series(pgettext("figures", "Median"), [_rounded(median.get((one,))) for one in starts]),
            Series(_("95th percentile"), [_rounded(slow.get((one,))) for one in starts]),
        ],
        band=(0, 1),
        ticks=ticks_of(period, by),
        write=lambda value: words.seconds(float(value)),
        note=_longest_note(slow),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _longest_note(slow: Mapping[Line, float | None]) -> str:
    if any(value is not None and value >= BOUNDS[-1] for value in slow.values()):
        return _("Longer times are shown as one hour.")
    return ""


def shares_by_account(
    request: HttpRequest,
    subject: Subject,
    period: Period,
    lines: Mapping[Line, Summary],
    past: Mapping[Line, Summary],
    title: str,
    past_word: str,
) -> Shares:
    """The share of successes of each account, the busiest first."""
    name = words.names_of(By.ACCOUNT, [key[0] for key in lines], subject)
    busiest = sorted(lines.items(), key=lambda item: -item[1].accepted)
    return Shares(
        title=title,
        shares=[
            Share(
                name(account),
                line.share or 0.0,
                words.percent(line.share),
                note=_share_note(line),
                url=rows_url(request, subject, period, where={By.ACCOUNT: account}),
                past=before.share if (before := past.get((account,))) else None,
                is_data=True,
            )
            for (account,), line in busiest
            if line.accepted
        ],
        past_word=past_word,
    )


def _share_note(line: Summary) -> str:
    text = _("%(part)s of %(whole)s") % {
        "part": f"{line.succeeded:,}",
        "whole": f"{line.base:,}",
    }
    median = words.seconds(line.took(0.5))
    return f"{text} · {_('median %(time)s') % {'time': median}}" if median else text


def lines_over_time(
    subject: Subject, period: Period, by: By, split: By, *, now: datetime, where: Q | None
) -> Lines:
    """Accepted rows over time, a line for each of the largest lines of the cut."""
    only = Q(kind__in=KINDS[subject])
    cells = cut(period, by, split, where=only & where if where else only)
    sums: dict[Any, int] = defaultdict(int)
    for (_start, value), totals in cells.items():
        sums[value] += totals.accepted
    ranked = sorted(sums, key=lambda value: -sums[value])
    shown = ranked if len(ranked) <= MOST_LINES else ranked[: MOST_LINES - 1]
    rest = set(ranked) - set(shown)
    starts = starts_of(period, by)
    known = [part_of(period, by, start).start <= now for start in starts]
    name = words.names_of(split, shown, subject)

    def values(of: set[Any]) -> list[int | None]:
        return [
            sum(cells[start, one].accepted for one in of if (start, one) in cells)
            if is_known
            else None
            for start, is_known in zip(starts, known, strict=True)
        ]

    series = [Series(name(value), values({value}), is_data=split in words.DATA) for value in shown]
    if rest:
        series.append(Series(pgettext("figures", "Others"), values(rest)))
    return Lines(
        title=words.SUBJECTS[subject],
        slot_word=pgettext("column", "Hour") if by is By.HOUR else pgettext("column", "Day"),
        slots=[Slot(label_of(period, by, start)) for start in starts],
        series=series,
        ticks=ticks_of(period, by),
        whole=True,
    )
