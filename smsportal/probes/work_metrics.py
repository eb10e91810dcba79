"""Metrics of the work: what was sent lately, what waits, what is unknown, calls and callbacks.

Names of accounts are labels; numbers, texts, codes and people never are. Every query reads an
index and a bounded part of it, because Prometheus asks all day long.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Min, Sum
from django_q.models import OrmQ
from prometheus_client.core import GaugeMetricFamily, Metric

from figures.models import Figure
from figures.slots import PER_HOUR, slot_of
from figures.unknown_outcomes import unknown_outcomes
from providers import clock
from providers.models import Account, ApiCall, Callback
from providers.states import CallbackState

from ..frame.banners import total_backlog

CALLS_WITHIN: Final = timedelta(minutes=1)
MOST_CALLS: Final = 2000
"""The newest calls of the last minute from which durations are taken."""
QUANTILES: Final = (0.5, 0.95)


def collect() -> Iterator[Metric]:
    names = dict(Account.objects.values_list("pk", "name"))
    yield _recent(names)
    yield _unknown(names)
    yield from _waiting()
    yield from _calls(names)
    yield from _callbacks()
    yield from _tasks()


def _recent(names: dict[int, str]) -> Metric:
    family = GaugeMetricFamily(
        "smsportal_rows_last_hour",
        "Texts, SMS with codes, code checks and rented numbers of the last four full quarters of an"
        " hour and the present one, by state. The roll-up is up to a minute behind.",
        labels=("kind", "account", "state"),
    )
    first = slot_of(clock.now()) - PER_HOUR
    rows = Figure.objects.filter(slot__gte=first).order_by()
    for row in rows.values("kind", "account_id", "state").annotate(rows=Sum("count")):
        family.add_metric(
            (row["kind"], names.get(row["account_id"], ""), row["state"]), row["rows"]
        )
    return family


def _unknown(names: dict[int, str]) -> Metric:
    family = GaugeMetricFamily(
        "smsportal_unknown_outcomes",
        "Paid calls whose outcome is unknown and that staff have not settled.",
        labels=("kind", "account"),
    )
    for kind, account, count in unknown_outcomes():
        family.add_metric((kind, names.get(account, "")), count)
    return family


def _waiting() -> Iterator[Metric]:
    waiting = total_backlog()
    due = GaugeMetricFamily(
        "smsportal_due_rows",
        "Single messages and orders that could be sent now and are not.",
        labels=("kind",),
    )
    due.add_metric(("message",), waiting.messages)
    due.add_metric(("rent",), waiting.orders)
    yield due
    yield GaugeMetricFamily(
        "smsportal_oldest_due_seconds",
        "How long the oldest of them has been due.",
        value=_age(waiting.since),
    )


def _calls(names: dict[int, str]) -> Iterator[Metric]:
    calls = GaugeMetricFamily(
        "smsportal_calls_last_minute",
        f"Calls to providers in the last minute, of at most {MOST_CALLS}.",
        labels=("account", "operation", "outcome"),
    )
    took = GaugeMetricFamily(
        "smsportal_call_seconds",
        "How long these calls took.",
        labels=("account", "operation", "quantile"),
    )
    newest = ApiCall.objects.filter(started_at__gte=clock.now() - CALLS_WITHIN)
    rows = newest.order_by("-started_at", "-pk").values_list(
        "account_id", "operation", "outcome", "duration"
    )[:MOST_CALLS]
    counts: Counter[tuple[str, str, str]] = Counter()
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for account, operation, outcome, duration in rows:
        name = names.get(account, "")
        counts[name, operation, outcome] += 1
        durations[name, operation].append(duration)
    for labels, count in sorted(counts.items()):
        calls.add_metric(labels, count)
    for (name, operation), found in sorted(durations.items()):
        found.sort()
        for quantile in QUANTILES:
            value = found[min(len(found) - 1, int(quantile * len(found)))]
            took.add_metric((name, operation, str(quantile)), value)
    yield calls
    yield took


def _callbacks() -> Iterator[Metric]:
    waiting = Callback.objects.filter(state=CallbackState.RECEIVED).order_by()
    found = waiting.aggregate(count=Count("pk"), since=Min("received_at"))
    yield GaugeMetricFamily(
        "smsportal_callbacks_waiting", "Callbacks not processed yet.", value=found["count"]
    )
    yield GaugeMetricFamily(
        "smsportal_callback_lag_seconds",
        "How long the oldest of them has waited.",
        value=_age(found["since"]),
    )


def _tasks() -> Iterator[Metric]:
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=clock.now())
    found = due.aggregate(count=Count("pk"), since=Min("lock"))
    yield GaugeMetricFamily(
        "smsportal_queue_tasks", "Tasks that wait in the queue.", value=found["count"]
    )
    yield GaugeMetricFamily(
        "smsportal_queue_age_seconds",
        "How long the oldest of them has waited.",
        value=_age(found["since"]),
    )


def _age(since: datetime | None) -> float:
    return max(0.0, (clock.now() - since).total_seconds()) if since else 0.0
