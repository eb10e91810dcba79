"""Metrics of provider accounts: balances, pauses, leases."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F
from django.db.models.expressions import RawSQL
from prometheus_client.core import GaugeMetricFamily, Metric

from providers import clock
from providers.balances import newest_readings
from providers.clock import sql_now
from providers.models import Account, Lease


def collect() -> Iterator[Metric]:
    accounts = list(Account.objects.order_by("name"))
    yield _paused(accounts)
    yield from _balances(accounts)
    yield _leases()


def _paused(accounts: list[Account]) -> Metric:
    family = GaugeMetricFamily(
        "smsportal_account_paused",
        "1 while the account is paused and nothing goes out over it.",
        labels=("account", "provider"),
    )
    for account in accounts:
        family.add_metric((account.name, account.provider), int(account.paused_at is not None))
    return family


def _balances(accounts: list[Account]) -> Iterator[Metric]:
    balance = GaugeMetricFamily(
        "smsportal_account_balance",
        "The balance as the provider stated it last, in its own unit.",
        labels=("account",),
    )
    age = GaugeMetricFamily(
        "smsportal_account_balance_age_seconds",
        "How long ago that was.",
        labels=("account",),
    )
    readings = newest_readings(accounts)
    now = clock.now()
    for account in accounts:
        reading = readings.get(account.pk)
        if reading is None or reading.spendable is None:
            continue
        balance.add_metric((account.name,), float(reading.spendable))
        age.add_metric((account.name,), (now - reading.read_at).total_seconds())
    yield balance
    yield age


def _leases() -> Metric:
    now = RawSQL(sql_now(), [])  # noqa: S611 - a constant of ours
    held = Lease.objects.exclude(holder="").alias(now=now).filter(expires_at__gt=F("now"))
    return GaugeMetricFamily(
        "smsportal_leases", "Accounts that a loop of the engine serves.", value=held.count()
    )
