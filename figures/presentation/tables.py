"""The table of figures: a line for each part of a cut, and the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from messaging.presentation.labels import gives_reports
from providers.models import Account, BalanceReading

from ..cuts import By, Period
from ..summaries import Outcome, Subject, Summary, merge, states_with, summaries
from . import words
from .links import rows_url


@dataclass(frozen=True, slots=True)
class TableLine:
    name: str
    summary: Summary
    before: Summary | None = None
    is_data: bool = False
    url: str = ""
    failed_url: str = ""
    refused_url: str = ""
    unknown_url: str = ""
    gives_reports: bool = True
    cost: Decimal | None = None
    """None if it is not known, or of several accounts, whose units may differ."""
    moved: Decimal | None = None
    """How much the balance has changed over the period, as the provider stated it."""

    @property
    def change(self) -> str:
        if self.before is None:
            return ""
        return words.growth(self.summary.accepted, self.before.accepted)

    @property
    def share(self) -> str:
        if not self.gives_reports and not self.summary.base:
            return _("no reports")
        return words.percent(self.summary.share)

    @property
    def median(self) -> str:
        return words.seconds(self.summary.took(0.5))

    @property
    def slow(self) -> str:
        return words.seconds(self.summary.took(0.95))

    @property
    def failed(self) -> int:
        return self.summary.count(Outcome.FAILED)

    @property
    def refused(self) -> int:
        return self.summary.count(Outcome.REFUSED)

    @property
    def unknown(self) -> int:
        return self.summary.count(Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Table:
    lines: list[TableLine]
    total: TableLine
    has_cost: bool


def table_of(
    request: HttpRequest,
    subject: Subject,
    period: Period,
    split: By | None,
    *,
    past: Period | None,
    where: Q | None,
    chosen: Mapping[By, Any],
    now: datetime,
) -> Table:
    columns = [split] if split else []
    found = summaries(subject, period, *columns, where=where)
    before = summaries(subject, past, *columns, where=where) if past else {}
    values = [key[0] for key in {**found, **before}] if split else []
    name = words.names_of(split, values, subject) if split else None
    silent = {one.pk for one in Account.objects.all() if not gives_reports(one)}
    of_one_account = By.ACCOUNT in chosen or split in (By.ACCOUNT, By.BATCH)

    def line(key: tuple[Any, ...], title: str, *, is_total: bool = False) -> TableLine:
        summary = found.get(key) or Summary(subject)
        filters = {**chosen, **({split: key[0]} if split and key else {})}
        account = filters.get(By.ACCOUNT)

        def url(*outcomes: Outcome) -> str:
            states = states_with(subject, *outcomes)
            if outcomes and not states:
                return ""
            return rows_url(
                request,
                subject,
                period,
                where=filters,
                states=states,
                until=now,
            )

        return TableLine(
            title,
            summary,
            before.get(key, Summary(subject)) if past else None,
            is_data=split in words.DATA and not is_total,
            url=url(),
            failed_url=url(Outcome.FAILED),
            refused_url=url(Outcome.REFUSED),
            unknown_url=url(Outcome.UNKNOWN),
            gives_reports=account not in silent,
            cost=summary.known_cost if account or (of_one_account and not is_total) else None,
            moved=balance_change(account, period) if split is By.ACCOUNT and account else None,
        )

    keys = sorted({**found, **before}, key=lambda key: -_size(found.get(key)))
    lines = [line(key, name(key[0])) for key in keys] if name else []
    total = merge(subject, found.values())
    found, before = {(): total}, {(): merge(subject, before.values())}
    return Table(lines, line((), pgettext("column", "All"), is_total=True), of_one_account)


def _size(summary: Summary | None) -> int:
    return summary.total if summary else 0


def balance_change(account: int, period: Period) -> Decimal | None:
    """The balance at the end of the period minus that at its start; None if one was not read."""
    readings = BalanceReading.objects.filter(account=account).order_by("-read_at")
    ends = [readings.filter(read_at__lt=at).first() for at in (period.start, period.stop)]
    amounts = [one.spendable if one else None for one in ends]
    if amounts[0] is None or amounts[1] is None or ends[0] == ends[1]:
        return None
    return amounts[1] - amounts[0]
