"""Conversion figures (sent, delivered, verified) and the alarms for low conversion.

A dropping share, or many codes to one range of numbers, indicates SMS pumping: a fraudster
orders codes for numbers that earn a share of each SMS, and the codes are never entered.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from core.time_spans import SecondsBetween
from providers import clock
from providers.gateway.registry import clients
from providers.models import Account

from .models import Session

HOUR: Final = timedelta(hours=1)
BURST_WITHIN: Final = timedelta(minutes=10)
TIME_TO_ANSWER: Final = timedelta(minutes=5)
"""Younger codes may still be read out, so they do not count towards a share."""
MAX_ROWS: Final = 20_000
"""Tables cover this many of the newest rows."""
MAX_FUNNEL: Final = 5_000
"""A funnel covers this many of the newest rows, since the list shows it, too."""
MAX_TIMES: Final = 1_000
"""The median covers this many of the newest sessions."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """Conversion of a set of sessions.

    `delivered` is out of `reported_on`, the sent codes whose provider reports delivery at all.
    """

    sent: int
    reported_on: int
    delivered: int
    verified: int
    median: timedelta | None
    """Time from sending to the correct code."""
    most: int = 0
    """The number of newest sessions that it covers, if there are more."""

    @property
    def delivered_percent(self) -> int | None:
        return percent(self.delivered, self.reported_on)

    @property
    def verified_percent(self) -> int | None:
        return percent(self.verified, self.sent)


def percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def funnel_of(*parts: QuerySet[Session]) -> Funnel:
    """The conversion of the newest sessions of these disjoint parts."""
    sent = Q(sent_at__isnull=False)
    reporting = Account.objects.filter(provider__in=_reporting()).order_by()
    # With an empty list, Django would take the whole question for one without an answer.
    reports = Q(account__in=[*reporting.values_list("pk", flat=True), 0])
    total: Counter[str] = Counter()
    spans: list[float] = []
    most = 0
    for rows in parts:
        newest = rows.select_related(None).prefetch_related(None).order_by("-created_at", "-pk")
        counted = newest[:MAX_FUNNEL].aggregate(
            rows=Count("pk"),
            sent=Count("pk", filter=sent),
            reported_on=Count("pk", filter=sent & reports),
            delivered=Count("pk", filter=sent & reports & Q(delivered_at__isnull=False)),
            verified=Count("pk", filter=sent & Q(verified_at__isnull=False)),
        )
        most = MAX_FUNNEL if counted.pop("rows") == MAX_FUNNEL else most
        total.update(counted)
        # The database subtracts, since reading a thousand pairs of times costs as much as the list.
        times = newest.annotate(span=SecondsBetween(F("verified_at"), F("sent_at")))
        spans += [
            span for span in times.values_list("span", flat=True)[:MAX_TIMES] if span is not None
        ]
    return Funnel(
        total["sent"],
        total["reported_on"],
        total["delivered"],
        total["verified"],
        _median(spans),
        most,
    )


def _reporting() -> list[str]:
    return [key for key, client in clients().items() if client.reports_delivery]


def _median(spans: Sequence[float]) -> timedelta | None:
    return timedelta(seconds=statistics.median(max(span, 0.0) for span in spans)) if spans else None


@dataclass(slots=True)
class FigureRow:
    """One row of a table, which accumulates the figures of its sessions."""

    key: Any
    sent: int = 0
    reported_on: int = 0
    delivered: int = 0
    verified: int = 0
    spans: list[float] | None = None
    """Seconds from sending to the correct code."""

    @property
    def funnel(self) -> Funnel:
        median = _median(self.spans or ())
        return Funnel(self.sent, self.reported_on, self.delivered, self.verified, median)

    def count(self, row: dict[str, Any], *, reports: bool) -> None:
        if row["sent_at"] is None:
            return
        self.sent += 1
        self.reported_on += reports
        self.delivered += reports and row["delivered_at"] is not None
        if row["verified_at"] is not None:
            self.verified += 1
            self.spans = self.spans or []
            self.spans.append((row["verified_at"] - row["sent_at"]).total_seconds())


def tables_of(rows: QuerySet[Session]) -> dict[str, list[FigureRow]]:
    """The figures by account name, country code, and local hour (newest first)."""
    reporting = set(_reporting())
    tables: dict[str, dict[Any, FigureRow]] = {"account": {}, "country": {}, "hour": {}}
    columns = ("account__name", "account__provider", "country", "created_at")
    newest = rows.order_by("-created_at").values(
        *columns, "sent_at", "delivered_at", "verified_at"
    )[:MAX_ROWS]
    for row in newest:
        hour = timezone.localtime(row["created_at"]).replace(minute=0, second=0, microsecond=0)
        keys = {"account": row["account__name"], "country": row["country"], "hour": hour}
        for table, key in keys.items():
            line = tables[table].setdefault(key, FigureRow(key))
            line.count(row, reports=row["account__provider"] in reporting)
    return {table: list(lines.values()) for table, lines in tables.items()}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm about one account or one prefix of numbers.

    `kind` is `share` (few verified in the last hour) or `burst` (many in ten minutes).
    `example` is the public id of the newest session concerned. It represents the prefix in URLs,
    where the prefix itself must not appear.
    """

    kind: str
    prefix: str
    account: str
    sent: int
    percent: int
    example: str


def alarms(low: int | None = None, least: int | None = None) -> list[Alarm]:
    """The alarms at this moment.

    :param low: a verified share below this is low; by default CODE_ALARM_PERCENT.
    :param least: with fewer codes a share says nothing; by default CODE_ALARM_SENT.
    """
    now = clock.now()
    low = settings.CODE_ALARM_PERCENT if low is None else low
    least = settings.CODE_ALARM_SENT if least is None else least
    recent: list[Any] = list(
        Session.objects.filter(created_at__gt=now - HOUR)
        .order_by("-created_at")
        .values("prefix", "account__name", "sent_at", "verified_at", "created_at", "public_id")[
            :MAX_ROWS
        ]
    )
    alarms_found = _bursts(recent, now)
    for by in ("prefix", "account__name"):
        alarms_found += _low_shares(recent, now, by, low=low, least=least)
    return alarms_found


def _bursts(recent: list[dict[str, Any]], now: datetime) -> list[Alarm]:
    ranges: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in recent:
        if row["created_at"] > now - BURST_WITHIN:
            ranges[row["prefix"]].append(row)
    return [
        Alarm("burst", prefix, "", len(rows), 0, rows[0]["public_id"])
        for prefix, rows in ranges.items()
        if len(rows) >= settings.CODE_BURST
    ]


def _low_shares(
    recent: list[dict[str, Any]], now: datetime, by: str, *, low: int, least: int
) -> list[Alarm]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in recent:
        old_enough = row["created_at"] < now - TIME_TO_ANSWER or row["verified_at"]
        if row["sent_at"] is not None and old_enough:
            groups[row[by]].append(row)
    found = []
    for key, rows in groups.items():
        verified = sum(row["verified_at"] is not None for row in rows)
        share = percent(verified, len(rows)) or 0
        if len(rows) >= least and share < low:
            prefix, account = (key, "") if by == "prefix" else ("", key)
            found.append(Alarm("share", prefix, account, len(rows), share, rows[0]["public_id"]))
    return found
