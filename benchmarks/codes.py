"""How long a code takes from the moment when staff send it until the provider has received the
request, while a batch saturates the same account: its rate limit and its calls in flight.

python -m benchmarks.codes [codes]

The engine's loop runs in this process, the provider in another; both moments are read from
the clock of this machine.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from typing import Any

from . import portal
from .report import machine

CODES = 60
DELAY = 0.5
"""Seconds until the provider answers: with IN_FLIGHT calls at once about the rate limit."""
IN_FLIGHT = 5
PER_SECOND = 10
GAPS = (0.5, 1.5)
"""Seconds between two codes."""
SATURATED_FOR = 3.0
"""Seconds that the batch runs alone before the first code."""
ARRIVES_WITHIN = 60.0
WANTED = 1.0
"""Seconds, for 95 of 100."""
TEXT = "Your code is XXXX."


def main() -> None:
    number = int(sys.argv[1]) if sys.argv[1:] else CODES
    portal.set_up()
    print(f"A code beside a batch, {portal.database_name()}. {machine()}", flush=True)
    from .clusters import calls_of, practice_providers

    with practice_providers(DELAY) as (remote, url):
        remote.add_account("haorui", "bench", *portal.CREDENTIALS.values())
        account = portal.make_account(
            url, IN_FLIGHT, per_second=PER_SECOND, per_minute=60 * PER_SECOND
        )
        saturate(account, int(number * (max(GAPS) + 1) + ARRIVES_WITHIN) * PER_SECOND)
        sent = _run(account, number)
        calls = calls_of(remote)
        portal.close()
    report(sent, {_reference(call): float(str(call["at"])) for call in calls}, len(calls))


def report(sent: dict[str, float], arrived: dict[str, float], calls: int) -> None:
    waits = [arrived[reference] - at for reference, at in sent.items() if reference in arrived]
    if len(waits) < 2:
        print(f"  of {len(sent)} codes only {len(waits)} arrived beside {calls} calls")
        return
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(
        f"  {len(waits)} of {len(sent)} codes beside {calls - len(waits)} messages of a batch:"
        f" median {statistics.median(waits) * 1000:.0f} ms, 95th percentile {p95 * 1000:.0f} ms,"
        f" longest {max(waits) * 1000:.0f} ms (wanted: 95th percentile {WANTED * 1000:.0f} ms)"
    )


def saturate(account, number: int) -> None:  # type: ignore[no-untyped-def]
    """More messages than the account can send meanwhile, in the lane of bulk work: a batch
    that runs, or where there are none, rows that only a source of this measurement takes."""
    from django.apps import apps
    from django.utils import timezone

    from messaging.models import Message

    portal.queue_messages(account, number)
    rows = Message.objects.filter(account=account)
    models: dict[str, Any] = {
        model.__name__: model for model in apps.get_app_config("messaging").get_models()
    }
    if "Batch" not in models:
        rows.update(not_before=NOT_FOR_STAFF, channel=BULK)
        register_bulk()
        return
    staff = _staff()
    now = timezone.now()
    batch = models["Batch"].objects.create(
        account=account,
        form_token="bench",
        state="sending",
        source="pasted",
        row_count=number,
        good=number,
        laid_out=number,
        created_by=staff,
        answerable=staff,
        started_at=now,
        moved_at=now,
    )
    running: dict[str, Any] = {"batch": batch}
    rows.update(**running)


BULK = "bulk"
NOT_FOR_STAFF = "2999-01-01T00:00:00Z"
"""No other source takes a row before its time."""


def register_bulk() -> None:
    from messaging.dispatch import MessageSource
    from messaging.models import Message
    from providers.engine.sources import Lane, register

    class BulkSource(MessageSource):
        name = "benchmark bulk"
        lane = Lane.BULK

        def _due(self):  # type: ignore[no-untyped-def]
            return Message.objects.filter(state="queued", channel=BULK)

        def sweep(self) -> None:
            """The messages' own source does so."""

    register(BulkSource())


def _staff():  # type: ignore[no-untyped-def]
    from django.contrib.auth.models import User

    return User.objects.get_or_create(username="bench", defaults={"is_superuser": True})[0]


def _run(account, number: int) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """The engine in this thread, staff in another. Our reference to when it was sent."""
    from django.db import connection

    from providers.engine.loop import Loop

    sent: dict[str, float] = {}
    done = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            time.sleep(SATURATED_FOR)
            for index in range(number):
                time.sleep(random.uniform(*GAPS))
                reference, at = send_one(account, index)
                sent[reference] = at
            _wait_until_sent(list(sent))
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()
            connection.close()

    staff = threading.Thread(target=work)
    staff.start()
    Loop(should_stop=done.is_set).run()
    staff.join()
    if failures:
        raise failures[0]
    return sent


def send_one(account, index: int) -> tuple[str, float]:  # type: ignore[no-untyped-def]
    from core.phone import read
    from otp.sessions import Plan, start
    from otp.ways import usual_way, with_dots

    number = read(f"+86138{index:04}{index:04}")
    way = usual_way(account, number.country, with_dots(TEXT))
    plan = Plan(way=way, recipient=number, minutes=10)
    at = time.time()
    session, _ = start(plan, by=_staff(), form_token=f"bench{index}")
    return session.newest_code().message.reference, at


def _wait_until_sent(references: list[str]) -> None:
    from messaging.models import Message

    deadline = time.monotonic() + ARRIVES_WITHIN
    waiting = Message.objects.filter(
        reference__in=references, state__in=("queued", "claimed", "sending")
    )
    while waiting.exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _reference(call: dict[str, object]) -> str:
    fields = call["fields"]
    return str(fields.get("uid", "")) if isinstance(fields, dict) else ""


if __name__ == "__main__":
    main()
