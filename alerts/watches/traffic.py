"""What goes out: pauses, unknown outcomes, reports, failures, verified codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Final

from core.countries import country_name
from core.stored_texts import names, register_labels
from figures.cuts import By, Period
from figures.models import RollUp
from figures.standouts import RECENT, Standout
from figures.summaries import Outcome, Subject, Summary, summaries
from figures.unknown_outcomes import unknown_outcomes
from otp.conversion import alarms
from providers.accounts import BY_HAND
from providers.callbacks.health import health_of
from providers.error_texts import explain
from providers.models import Account

from ..facts import Facts, Finding, about, name_of
from ..models import Rule
from ..texts import (
    BURSTS,
    CONVERSION,
    CONVERSION_RANGES,
    FAILURES,
    PAUSED,
    REPORTS_MISSING,
    UNKNOWN,
    UNUSUAL_ACCOUNT,
    UNUSUAL_COUNTRY,
)

PAUSE_REASON: Final = "pause_reason"


def register_reasons() -> None:
    """Let a stored text name the reason of a pause in the reader's language.

    Without the provider's own words: they may hold anything.
    """
    register_labels(PAUSE_REASON, lambda reason: explain(reason).title)


def accounts_paused(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """By the portal. Staff know of the pauses that they began."""
    limit = timedelta(minutes=rule.limit or 0)
    for account in facts.accounts:
        since = account.paused_at
        if since is None or account.pause_reason == BY_HAND or facts.now - since < limit:
            continue
        reason = names(PAUSE_REASON, [account.pause_reason])
        text = PAUSED.store(account=name_of(account), reason=reason)
        yield Finding(about(account), text, account.pk)


def outcomes_unknown(rule: Rule, facts: Facts) -> Iterator[Finding]:
    counted: Counter[int] = Counter()
    for _kind, key, count in unknown_outcomes():
        counted[key] += count
    for account in facts.accounts:
        count = counted[account.pk]
        if count >= max(rule.limit or 0, 1):
            text = UNKNOWN.store(account=name_of(account), count=count)
            yield Finding(about(account), text, account.pk)


def reports_missing(rule: Rule, facts: Facts) -> Iterator[Finding]:
    for health in health_of(facts.accounts):
        waiting = health.missing_reports
        if not waiting.waiting or waiting.since is None:
            continue
        quiet = facts.now - max(health.last_at or waiting.since, waiting.since)
        if quiet >= timedelta(hours=rule.limit or 0):
            account = health.account
            hours = int(quiet.total_seconds() // 3600)
            text = REPORTS_MISSING.store(account=name_of(account), hours=hours)
            yield Finding(about(account), text, account.pk)


def messages_failed(rule: Rule, facts: Facts) -> Iterator[Finding]:
    recent = Period.between(facts.now - RECENT, facts.now, UTC)
    for (key,), line in summaries(Subject.MESSAGES, recent, By.ACCOUNT).items():
        account = facts.by_key.get(key)
        failed, known = _failures(line)
        if account is None or known < max(rule.least or 0, 1):
            continue
        percent = 100 * failed // known
        if percent >= (rule.limit or 0):
            text = FAILURES.store(account=name_of(account), percent=percent, count=known)
            yield Finding(about(account), text, account.pk)


def _failures(line: Summary) -> tuple[int, int]:
    failed = line.count(Outcome.FAILED, Outcome.REFUSED)
    return failed, failed + line.count(Outcome.GOOD)


def more_fail_than_usual(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """What the figures noted last. Who sends is left out."""
    noted = RollUp.objects.filter(pk=1).values_list("standouts", flat=True).first() or []
    for one in (Standout(**values) for values in noted):
        if 100 * (one.share - one.usual) < (rule.limit or 0):
            continue
        shares = {"percent": round(100 * one.share), "usual": round(100 * one.usual)}
        if one.by == By.ACCOUNT and (account := facts.by_key.get(one.value)) is not None:
            text = UNUSUAL_ACCOUNT.store(account=name_of(account), **shares)
            yield Finding(about(account), text, account.pk)
        elif one.by == By.COUNTRY:
            text = UNUSUAL_COUNTRY.store(country=country_name(str(one.value)), **shares)
            yield Finding(f"country:{one.value}", text)


def codes_not_verified(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """Of accounts by name. Ranges of numbers are counted, since a range is part of a number."""
    by_name = {account.name: account for account in facts.accounts}
    ranges = bursts = 0
    for alarm in alarms(rule.limit or 0, rule.least or 1):
        if alarm.kind == "burst":
            bursts += 1
        elif not alarm.account:
            ranges += 1
        elif alarm.account in by_name:
            account: Account = by_name[alarm.account]
            text = CONVERSION.store(account=name_of(account), percent=alarm.percent)
            yield Finding(about(account), text, account.pk)
    if ranges:
        yield Finding("ranges", CONVERSION_RANGES.store(count=ranges))
    if bursts:
        yield Finding("bursts", BURSTS.store(count=bursts))
