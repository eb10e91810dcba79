"""Whether reports still arrive, per account.

The apps above register how many of their messages still wait for a report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self, TypeAlias

from django.core.cache import cache
from django.db.models import OuterRef, Subquery

from .. import clock
from ..models import Account, Callback, CallbackTest
from .self_test import is_running

QUIET_AFTER: Final = timedelta(hours=6)
"""An account is quiet if no callback arrived for this time although messages wait for reports."""
CACHE_SECONDS: Final = 60
"""The figures are cached because they are counted over many rows."""


@dataclass(frozen=True, slots=True)
class MissingReports:
    """Reports on the messages that an account sent recently."""

    waiting: int = 0
    """Messages without a report for which it is not yet due."""
    due: int = 0
    """Messages for which a report is due by now."""
    missing: int = 0
    """Due messages without a report."""
    since: datetime | None = None
    """When the provider accepted the oldest waiting message."""

    @classmethod
    def from_json(cls, values: list[Any]) -> Self:
        waiting, due, missing, since = values
        return cls(waiting, due, missing, since and datetime.fromtimestamp(since, UTC))

    def to_json(self) -> list[Any]:
        since = self.since and self.since.timestamp()
        return [self.waiting, self.due, self.missing, since]

    @property
    def share(self) -> float | None:
        """The percentage of due reports that are missing; None if none is due."""
        return 100 * self.missing / self.due if self.due else None


Source: TypeAlias = Callable[[Collection[int]], Mapping[int, MissingReports]]
_sources: Final[list[Source]] = []


def register_missing_reports(source: Source) -> None:
    """Register how an app counts missing reports, by account id."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True, slots=True)
class Health:
    account: Account
    last_at: datetime | None
    missing_reports: MissingReports
    test: CallbackTest | None

    @property
    def is_test_running(self) -> bool:
        return self.test is not None and is_running(self.test)

    @property
    def hours_quiet(self) -> int | None:
        """Full hours without a callback although messages wait; None if it is not quiet."""
        reports = self.missing_reports
        if not reports.waiting or reports.since is None:
            return None
        quiet = clock.now() - max(self.last_at or reports.since, reports.since)
        return int(quiet.total_seconds() // 3600) if quiet > QUIET_AFTER else None


def health_of(accounts: Collection[Account]) -> list[Health]:
    """The health of those accounts whose provider sends callbacks, sorted by name."""
    reporting = [account for account in accounts if account.takes_callbacks]
    ids = [account.pk for account in reporting]
    # One look into the index for each account. A GROUP BY would read all callbacks.
    newest = Callback.objects.filter(account=OuterRef("pk")).order_by("-last_at")
    with_last = Account.objects.filter(pk__in=ids).order_by()
    last = dict(with_last.values_list("pk", Subquery(newest.values("last_at")[:1])))
    tests = {test.account_id: test for test in CallbackTest.objects.filter(account__in=ids)}
    reports = _missing_reports(ids)
    return [
        Health(
            account,
            last.get(account.pk),
            reports.get(account.pk, MissingReports()),
            tests.get(account.pk),
        )
        for account in sorted(reporting, key=lambda each: each.name.lower())
    ]


def _missing_reports(ids: Collection[int]) -> Mapping[int, MissingReports]:
    keys = {pk: f"missing-reports-{pk}" for pk in ids}
    cached = cache.get_many(keys.values())
    known: dict[int, MissingReports] = {
        pk: MissingReports.from_json(cached[key]) for pk, key in keys.items() if key in cached
    }
    missing = [pk for pk in ids if pk not in known]
    if missing:
        counted: dict[int, MissingReports] = dict.fromkeys(missing, MissingReports())
        for source in _sources:
            counted |= source(missing)
        cache.set_many({keys[pk]: counted[pk].to_json() for pk in missing}, CACHE_SECONDS)
        known |= counted
    return known
