"""The scoreboard: how well each provider account does, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView

from core.admin.charts import Sparkline
from core.admin.pages import Page
from messaging.presentation.labels import gives_reports
from messaging.presentation.missing_reports import missing_reports_of
from providers.models import Account

from ..cuts import By, Line, Period
from ..presentation import words
from ..presentation.links import rows_url
from ..presentation.standout_texts import standout_lines
from ..presentation.today import VIEW
from ..roll_up import complete_at
from ..summaries import Outcome, Subject, Summary, states_with, summaries

DAYS: Final = 7
SUBJECTS: Final = (
    (Subject.MESSAGES, "messaging.view_message"),
    (Subject.CODES, "otp.view_session"),
    (Subject.NUMBERS, "rentals.view_order"),
)


@dataclass(frozen=True, slots=True)
class Score:
    """One account's line, over the last days and the days before."""

    account: Account
    now: Summary
    before: Summary
    gives_reports: bool
    trend: Sparkline
    url: str
    refused_url: str
    missing: int

    @property
    def share(self) -> str:
        return words.percent(self.now.share)

    @property
    def change(self) -> str:
        return words.points(self.now.share, self.before.share)

    @property
    def tone(self) -> str:
        now, before = self.now.share, self.before.share
        if now is None or before is None or abs(now - before) < 0.001:
            return ""
        return "up" if now > before else "down"

    @property
    def median(self) -> str:
        return words.seconds(self.now.took(0.5))

    @property
    def slow(self) -> str:
        return words.seconds(self.now.took(0.95))

    @property
    def refused(self) -> int:
        return self.now.count(Outcome.REFUSED)

    @property
    def refused_share(self) -> str:
        asked = self.refused + self.now.accepted
        return words.percent(self.refused / asked) if asked else ""

    @property
    def cost(self) -> Decimal | None:
        return self.now.known_cost


class ScoreboardPage(Page, TemplateView):
    title = pgettext_lazy("title", "Scoreboard")
    permission_required = VIEW
    template_name = "figures/scoreboard.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.request.user.has_perm
        return super().get_context_data(
            as_of=complete_at(),
            days=DAYS,
            groups=[
                {"subject": subject, "word": words.SUBJECTS[subject], "scores": scores}
                for subject, permission in SUBJECTS
                if may(permission) and (scores := self._scores(subject))
            ],
            standouts=standout_lines() if may("messaging.view_message") else [],
            **kwargs,
        )

    def _scores(self, subject: Subject) -> list[Score]:
        zone, today = timezone.get_current_timezone(), timezone.localdate()
        period = Period.of_days(today - timedelta(days=DAYS - 1), today, zone)
        past = Period.of_days(
            today - timedelta(days=2 * DAYS - 1), today - timedelta(days=DAYS), zone
        )
        now = summaries(subject, period, By.ACCOUNT)
        before = summaries(subject, past, By.ACCOUNT)
        both = Period(past.first, period.end, zone)
        by_day = summaries(subject, both, By.ACCOUNT, By.DAY)
        accounts = Account.objects.in_bulk([key[0] for key in {**now, **before}])
        missing = missing_reports_of(list(accounts)) if subject is Subject.MESSAGES else {}
        return [
            Score(
                account,
                now.get((pk,), Summary(subject)),
                before.get((pk,), Summary(subject)),
                subject is not Subject.MESSAGES or gives_reports(account),
                _trend(pk, by_day, both),
                rows_url(self.request, subject, period, where={By.ACCOUNT: pk}),
                rows_url(
                    self.request,
                    subject,
                    period,
                    where={By.ACCOUNT: pk},
                    states=states_with(subject, Outcome.REFUSED),
                )
                if subject is not Subject.CODES
                else "",
                missing[pk].missing if pk in missing else 0,
            )
            for pk, account in sorted(accounts.items(), key=lambda item: item[1].name.lower())
        ]


def _trend(account: int, by_day: Mapping[Line, Summary], period: Period) -> Sparkline:
    lines = [by_day.get((account, day)) for day in period.days()]
    return Sparkline([line.share if line else None for line in lines])
