"""How soon the portal has the code of an SMS with many rented numbers, and how many calls it makes.

python -m benchmarks.rentals [--orders 1000] [--shorten 1.0]

The number of calls is compared with the polling intervals that the provider's document
recommends. The simulated provider enforces its limits (10 calls a second, 300 a minute) and
shuffles its lists. 1,000 orders of ages 0 to 200 s are open on one account. Their SMS arrive
evenly over the rest of their 600 s, and in a second run early (40 s on average).

`--shorten 0.2` ends the run after a fifth of the time. Nothing is sped up: limits and intervals
stay the same, and only the SMS that arrive in that time count.
"""

from __future__ import annotations

import argparse
import random
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import portal
from .report import machine

LIFETIME = 600.0
OLDEST = 200.0
EARLY = 40.0
"""Average seconds until an SMS, in the second run."""


@dataclass
class Arrivals:
    """The planned arrival of each order's SMS, in seconds from the start, and the actual time."""

    due: list[tuple[float, int]]
    arrived: dict[int, float] = field(default_factory=dict)


def uniform(ages: list[float]) -> list[float]:
    return [random.uniform(0, LIFETIME - age) for age in ages]


def early(ages: list[float]) -> list[float]:
    return [min(random.expovariate(1 / EARLY), LIFETIME - age - 1) for age in ages]


def documented_calls(age: float, until: float) -> int:
    """The number of calls in `until` seconds for one order at the document's intervals."""
    calls, at, end = 0, age, age + until
    while True:
        at += 3 if at < 30 else 5 if at < 120 else 10
        if at > end:
            return calls
        calls += 1


def set_up_orders(sandbox: Any, account: Any, ages: list[float]) -> list[int]:
    """Create the same open orders at the provider and in our table. Returns the provider's ids."""
    from django.utils import timezone

    from rentals.models import Order

    provider = sandbox.providers["gosms"]
    channel = next(iter(provider.accounts.values()))
    now = timezone.now()
    ids, rows = [], []
    with provider.lock:
        for age in ages:
            rented = provider.rentals.place(
                channel, "whatsapp", "ID", provider.settings.prices["ID"]
            )
            ids.append(rented.order_id)
            placed = now - timedelta(seconds=age)
            rows.append(
                Order(
                    account=account,
                    project="whatsapp",
                    region="ID",
                    state="pending",
                    provider_state="pending",
                    provider_id=str(rented.order_id),
                    phone=rented.phone,
                    price=rented.price,
                    created_at=placed,
                    answered_at=placed,
                    placed_at=placed,
                    expires_at=placed + timedelta(seconds=LIFETIME),
                    next_poll_at=now,
                )
            )
    Order.objects.bulk_create(rows, batch_size=500)
    return ids


def deliver_sms(sandbox: Any, arrivals: Arrivals, started: float, stop: threading.Event) -> None:
    provider = sandbox.providers["gosms"]
    channel = next(iter(provider.accounts.values()))
    for at, order_id in sorted(arrivals.due):
        if stop.wait(max(0.0, started + at - time.time())):
            return
        with provider.lock:
            order = channel.orders[order_id]
            if order.status == "pending":
                provider.rentals.receive(channel, order, f"Your code is {order_id}", str(order_id))
                arrivals.arrived[order_id] = time.time()


def cancel_some(account: Any, started: float, span: float, stop: threading.Event) -> list[int]:
    """Cancel an order every few seconds, as staff do. Returns the ids of the cancels."""
    from django.db import connection

    from rentals import cancel_requests
    from rentals.models import Cancel, Order

    made: list[int] = []
    try:
        while not stop.wait(7.0) and time.time() < started + span - 10:
            order = Order.objects.filter(account=account, state="pending").order_by("?").first()
            if order is not None and cancel_requests.request_cancel(order, None):
                made.append(Cancel.objects.filter(order=order).latest("pk").pk)
    finally:
        connection.close()
    return made


def run(name: str, arrive: Any, orders: int, shorten: float) -> None:
    from providers.engine.loop import Loop
    from providers.models import ApiCall
    from rentals.models import Cancel, Order, Watch
    from sandbox import credentials
    from sandbox.server import Sandbox

    with Sandbox() as sandbox:
        sandbox.change_settings(
            "gosms", sms_delay=None, list_order="shuffled", lifetime=LIFETIME + 60
        )
        account = portal.make_account(
            sandbox.base_url("gosms"),
            4,
            "gosms",
            {"api_key": credentials.GOSMS_API_KEY},
            per_second=10,
            per_minute=300,
        )
        ages = [random.uniform(0, OLDEST) for _ in range(orders)]
        ids = set_up_orders(sandbox, account, ages)
        times = arrive(ages)
        arrivals = Arrivals(list(zip(times, ids, strict=True)))
        started = time.time()
        span = (LIFETIME if arrive is uniform else 5 * EARLY) * shorten
        stop = threading.Event()
        cancelled: list[int] = []
        threads = [
            threading.Thread(target=deliver_sms, args=(sandbox, arrivals, started, stop)),
            threading.Thread(
                target=lambda: cancelled.extend(cancel_some(account, started, span, stop))
            ),
        ]
        for thread in threads:
            thread.start()
        Loop(lambda: time.time() > started + span).run()
        stop.set()
        for thread in threads:
            thread.join()
        waits = sorted(
            sms_at.timestamp() - arrivals.arrived[int(provider_id)]
            for provider_id, sms_at in Order.objects.exclude(sms_at=None).values_list(
                "provider_id", "sms_at"
            )
            if sms_at and int(provider_id) in arrivals.arrived
        )
        free = ("fetch_order", "list_orders")
        calls = ApiCall.objects.filter(operation__in=free).count()
        refused = ApiCall.objects.filter(http_status=429).count()
        needed = sum(
            documented_calls(age, min(at, span)) for age, at in zip(ages, times, strict=True)
        )
        left = [
            (one.handed_over_at - one.asked_at).total_seconds()
            for one in Cancel.objects.filter(pk__in=cancelled)
            if one.handed_over_at
        ]
        print(
            f"  {name}, {orders} orders, {span:.0f} s: {len(waits)} codes; arrival to our table"
            f" p50 {_at(waits, 0.5):.1f} s, p95 {_at(waits, 0.95):.1f} s;"
            f" {calls} calls, 1/{needed / max(calls, 1):.1f} of the document's {needed};"
            f" {refused} answers 429; cancel leaves after at most {max(left, default=0):.2f} s"
            f" (median {statistics.median(left) if left else 0:.2f} s, {len(left)} clicks)",
            flush=True,
        )
        for model in (Cancel, Watch, Order, ApiCall):
            model.objects.all().delete()


def _at(waits: list[float], share: float) -> float:
    return waits[min(int(len(waits) * share), len(waits) - 1)] if waits else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--shorten", type=float, default=1.0)
    parser.add_argument("--only", choices=("spread", "early"))
    arguments = parser.parse_args()
    portal.set_up()
    shortened = f", run shortened to {arguments.shorten:g}" if arguments.shorten != 1 else ""
    print(f"Rented numbers, {portal.database_name()}{shortened}. {machine()}", flush=True)
    if arguments.only != "early":
        run("spread evenly", uniform, arguments.orders, arguments.shorten)
    if arguments.only != "spread":
        run("early", early, arguments.orders, arguments.shorten)


if __name__ == "__main__":
    main()
