"""Do reports still come? Per account, with what the apps above know of messages that wait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from django.core.cache import cache
from django.db.models import Max
from django.utils import timezone

from ..models import Account, Callback, CallbackTest
from .self_test import is_under_way

QUIET: Final = timedelta(hours=6)
"""So long without any callback, though messages wait, is worth a look."""
KEPT_FOR: Final = 60
"""Seconds that the figures are kept, since they are counted over many rows."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Of what an account sent lately: `waiting` for their first report, `ripe` that should
    have one by now, and `silent` of these that have none."""

    waiting: int = 0
    ripe: int = 0
    silent: int = 0
    since: datetime | None = None
    """When the oldest of those that wait was accepted."""

    @property
    def share(self) -> float | None:
        """Percent of the ripe ones without a report; None where there are none."""
        return 100 * self.silent / self.ripe if self.ripe else None


Source: TypeAlias = Callable[[Collection[int]], Mapping[int, Silence]]
_sources: Final[list[Source]] = []


def register_silence(source: Source) -> None:
    """Apps above count what they sent over the accounts with these ids."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True, slots=True)
class Health:
    account: Account
    last_at: datetime | None
    silence: Silence
    test: CallbackTest | None

    @property
    def is_tested_now(self) -> bool:
        return self.test is not None and is_under_way(self.test)

    @property
    def hours_quiet(self) -> int | None:
        """Whole hours without a callback though messages wait; None where all is well."""
        if not self.silence.waiting or self.silence.since is None:
            return None
        quiet = timezone.now() - max(self.last_at or self.silence.since, self.silence.since)
        return int(quiet.total_seconds() // 3600) if quiet > QUIET else None


def health_of(accounts: Collection[Account]) -> list[Health]:
    """Those of the accounts whose provider reports by itself, by name."""
    reporting = [account for account in accounts if account.takes_callbacks]
    ids = [account.pk for account in reporting]
    newest = Callback.objects.filter(account__in=ids).order_by().values_list("account")
    last = dict(newest.annotate(last=Max("last_at")))
    tests = {test.account_id: test for test in CallbackTest.objects.filter(account__in=ids)}
    silences = _silences(ids)
    return [
        Health(
            account,
            last.get(account.pk),
            silences.get(account.pk, Silence()),
            tests.get(account.pk),
        )
        for account in sorted(reporting, key=lambda each: each.name.lower())
    ]


def _silences(ids: Collection[int]) -> Mapping[int, Silence]:
    keys = {pk: f"callback-silence-{pk}" for pk in ids}
    kept = cache.get_many(keys.values())
    known: dict[int, Silence] = {pk: kept[key] for pk, key in keys.items() if key in kept}
    missing = [pk for pk in ids if pk not in known]
    if missing:
        counted: dict[int, Silence] = dict.fromkeys(missing, Silence())
        for source in _sources:
            counted |= source(missing)
        cache.set_many({keys[pk]: counted[pk] for pk in missing}, KEPT_FOR)
        known |= counted
    return known
