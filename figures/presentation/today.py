"""Today against the same weekday last week, for the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from providers import clock

from ..cuts import By, Line, Period
from ..roll_up import complete_at
from ..slots import slot_of
from ..summaries import Outcome, Subject, Summary, merge, states_with, summaries_of_all
from . import charts, words
from .links import rows_url

VIEW: Final = "figures.view_figures"
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the strip. `tone`: "up" for better, "down" for worse, empty for neither."""

    label: str
    value: str
    unit: str = ""
    change: str = ""
    tone: str = ""
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """Today and the same weekday last week, both whole and up to the same quarter of an hour."""

    now: datetime
    today: Period
    last_week: Period
    today_until: Period
    today_since: Period
    """The rest of today."""
    last_week_until: Period

    @property
    def compared_until(self) -> datetime:
        return self.today_until.stop


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What became of the rows of one subject, today and a week ago."""

    subject: Subject
    by_account: dict[Line, Summary]
    """Of today."""
    before_by_account: dict[Line, Summary]
    """A week ago, up to the quarter until which is compared."""
    now: Summary
    until: Summary
    """Today up to the quarter until which is compared."""
    before: Summary


def read_figures(days: Days, where: Q | None) -> dict[Subject, DayFigures]:
    """The figures of every subject in three queries, however many tiles show them."""
    until = summaries_of_all(days.today_until, By.ACCOUNT, where=where)
    since = summaries_of_all(days.today_since, By.ACCOUNT, where=where)
    before = summaries_of_all(days.last_week_until, By.ACCOUNT, where=where)
    found = {}
    for subject in Subject:
        parts = until[subject], since[subject]
        by_account = {
            line: merge(subject, [part[line] for part in parts if line in part])
            for line in sorted({*parts[0], *parts[1]})
        }
        found[subject] = DayFigures(
            subject,
            by_account,
            before[subject],
            merge(subject, by_account.values()),
            merge(subject, until[subject].values()),
            merge(subject, before[subject].values()),
        )
    return found


def days_at(now: datetime) -> Days:
    """The periods of the reader's day. Both comparisons end at the last full quarter."""
    zone = timezone.get_current_timezone()
    day = now.astimezone(zone).date()
    today = Period.of_days(day, day, zone)
    last_week = Period.of_days(day - WEEK, day - WEEK, zone)
    passed = slot_of(now) - today.first
    return Days(
        now,
        today,
        last_week,
        Period(today.first, today.first + passed, zone),
        Period(today.first + passed, today.end, zone),
        Period(last_week.first, min(last_week.first + passed, last_week.end), zone),
    )


def today_context(request: HttpRequest) -> dict[str, Any]:
    """Everything about today that the reader may see: all figures, or those of their own rows."""
    person = request.user
    sees_all = person.has_perm(VIEW)
    where = None if sees_all else Q(person_id=person.pk)
    rows_where = {} if sees_all else {By.PERSON: person.pk}
    as_of = complete_at()
    if as_of is None:
        return {}
    days = days_at(as_of)
    weekday = str(WEEKDAYS[(days.now.astimezone(days.today.zone) - WEEK).weekday()])
    context: dict[str, Any] = {
        "is_own": not sees_all,
        "as_of": as_of,
        "is_late": clock.now() - as_of > timedelta(minutes=5),
        "compared_until": days.compared_until,
        "weekday": weekday,
    }
    figures = read_figures(days, where)
    context["tiles"] = tiles(request, days, figures, rows_where)
    if sees_all:
        context |= _charts(request, days, figures, weekday)
    return context


def tiles(
    request: HttpRequest,
    days: Days,
    figures: Mapping[Subject, DayFigures],
    rows_where: dict[By, Any],
) -> list[Tile]:
    found: list[Tile] = []
    may = request.user.has_perm
    if may("messaging.view_message"):
        found += _message_tiles(request, days, figures[Subject.MESSAGES], rows_where)
    if may("otp.view_session"):
        found.append(
            _share_tile(request, figures[Subject.CODES], _("Codes verified"), days, rows_where)
        )
    if may("rentals.view_order"):
        found.append(
            _share_tile(request, figures[Subject.NUMBERS], _("Numbers with SMS"), days, rows_where)
        )
    return found


def _message_tiles(
    request: HttpRequest, days: Days, figures: DayFigures, rows_where: dict[By, Any]
) -> list[Tile]:
    subject = Subject.MESSAGES
    now, until, before = figures.now, figures.until, figures.before

    def url(*outcomes: Outcome) -> str:
        return rows_url(
            request,
            subject,
            days.today,
            where=rows_where,
            states=states_with(subject, *outcomes),
            until=days.now,
        )

    sent = [*states_with(subject, Outcome.GOOD, Outcome.FAILED), "submitted", "in_transit"]
    failed, failed_before = (one.count(Outcome.FAILED, Outcome.REFUSED) for one in (until, before))
    unknown, unknown_before = (one.count(Outcome.UNKNOWN) for one in (until, before))
    return [
        Tile(
            pgettext("column", "Sent"),
            f"{now.accepted:,}",
            change=words.growth(until.accepted, before.accepted),
            detail=words.formerly(before.accepted),
            url=rows_url(
                request, subject, days.today, where=rows_where, states=sent, until=days.now
            ),
        ),
        Tile(
            pgettext("column", "Delivered"),
            words.percent(now.share).rstrip("%") or "–",
            unit="%" if now.share is not None else "",
            change=words.points(until.share, before.share),
            tone=_tone(until.share, before.share),
            detail=_("of reported"),
            url=url(Outcome.GOOD),
        ),
        Tile(
            _("Not delivered"),
            f"{now.count(Outcome.FAILED, Outcome.REFUSED):,}",
            change=words.difference(failed, failed_before),
            tone=_tone(failed_before, failed),
            detail=f"({failed_before:,})",
            url=url(Outcome.FAILED, Outcome.REFUSED),
        ),
        Tile(
            _("Outcome unknown"),
            f"{now.count(Outcome.UNKNOWN):,}",
            change=words.difference(unknown, unknown_before),
            tone=_tone(unknown_before, unknown),
            detail=f"({unknown_before:,})",
            url=url(Outcome.UNKNOWN),
        ),
    ]


def _share_tile(
    request: HttpRequest,
    figures: DayFigures,
    label: str,
    days: Days,
    rows_where: dict[By, Any],
) -> Tile:
    now, until, before = figures.now, figures.until, figures.before
    return Tile(
        label,
        words.percent(now.share).rstrip("%") or "–",
        unit="%" if now.share is not None else "",
        change=words.points(until.share, before.share),
        tone=_tone(until.share, before.share),
        detail=_("%(part)s of %(whole)s")
        % {"part": f"{now.succeeded:,}", "whole": f"{now.base:,}"},
        url=rows_url(request, figures.subject, days.today, where=rows_where, until=days.now),
    )


def _tone(better: float | None, worse: float | None) -> str:
    """Whether the first, of which more is better, is above the second."""
    if better is None or worse is None or better == worse:
        return ""
    return "up" if better > worse else "down"


def _charts(
    request: HttpRequest, days: Days, figures: Mapping[Subject, DayFigures], weekday: str
) -> dict[str, Any]:
    may = request.user.has_perm
    found: dict[str, Any] = {}
    past_word = _("last %(weekday)s") % {"weekday": weekday}
    by_account = []
    if may("messaging.view_message"):
        found["hours"] = charts.outcomes_over_time(
            request,
            Subject.MESSAGES,
            days.today,
            By.HOUR,
            now=days.now,
            past=days.last_week,
            past_word=_("last %(weekday)s, total") % {"weekday": weekday},
        )
        today = figures[Subject.MESSAGES].now
        found["median"] = words.seconds(today.took(0.5))
        found["slow"] = words.seconds(today.took(0.95))
        found["delivery"] = charts.time_to_delivery(days.today, By.HOUR, now=days.now)
    for subject, permission, title in (
        (Subject.CODES, "otp.view_session", _("Codes verified by account")),
        (Subject.NUMBERS, "rentals.view_order", _("Rented numbers with SMS")),
    ):
        if may(permission):
            by_account.append(
                charts.shares_by_account(
                    request,
                    subject,
                    days.today,
                    figures[subject].by_account,
                    figures[subject].before_by_account,
                    title,
                    past_word,
                )
            )
    found["account_charts"] = [one for one in by_account if not one.is_empty]
    return found
