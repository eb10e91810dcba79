"""The engine's share of a core while there is nothing to do, with one account of each provider.

python -m benchmarks.idle [rows of each]

First on an empty database, then with finished messages, rented numbers, cancels, account checks
and list readings.
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal

from . import portal

ROWS = 50_000
SECONDS = 20.0


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    portal.begin("An engine at rest")
    from tests.factories.accounts import CREDENTIALS, NOWHERE

    for provider, credentials in CREDENTIALS.items():
        portal.make_account(NOWHERE, 4, provider, credentials)
    print(f"  nothing was ever done: {100 * share_of_a_core():.1f} % of a core", flush=True)
    make_finished_rows(rows)
    print(f"  beside {rows} of each that are over: {100 * share_of_a_core():.1f} %", flush=True)


def share_of_a_core() -> float:
    from providers.engine.loop import Loop

    started, began = time.process_time(), time.monotonic()
    Loop(lambda: time.monotonic() - began > SECONDS).run()
    return (time.process_time() - started) / (time.monotonic() - began)


def make_finished_rows(rows: int) -> None:
    from django.utils import timezone

    from messaging.models import Message
    from providers.models import Account, Enquiry
    from rentals.models import Cancel, Order, Reading

    now = timezone.now()
    portal.queue_messages(Account.objects.get(provider="haorui"), rows)
    Message.objects.update(state="delivered")
    account = Account.objects.get(provider="gosms")
    orders = Order.objects.bulk_create(
        (
            Order(
                account=account,
                project="whatsapp",
                region="ID",
                state="expired",
                provider_id=str(number),
                phone=f"+62812{number:08}",
                price=Decimal("0.5"),
                ended_at=now,
            )
            for number in range(rows)
        ),
        batch_size=500,
    )
    over = {"state": "done", "ended_at": now}
    for one_of_each in (
        (Cancel(order=order, state="accepted", answered_at=now) for order in orders),
        (Enquiry(account=account, kind="balance", **over) for _ in orders),
        (Reading(account=account, kind="orders", **over) for _ in orders),
    ):
        found = list(one_of_each)
        type(found[0])._default_manager.bulk_create(found, batch_size=500)
    portal.vacuum()


if __name__ == "__main__":
    main()
