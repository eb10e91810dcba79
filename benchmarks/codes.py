"""The latency of a code, from sending to the provider's receipt, beside a saturating batch.

python -m benchmarks.codes [codes]

A real batch, in the engine's bulk lane, uses up the account's rate limit and calls in flight.
The engine's loop runs in this process and the provider in another. Both times come from this
machine's clock.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time

from . import portal
from .batch_import import csv_file

CODES = 60
DELAY = 0.5
"""Seconds until the provider answers: IN_FLIGHT concurrent calls then reach the rate limit."""
IN_FLIGHT = 5
PER_SECOND = 10
GAPS = (0.5, 1.5)
"""Seconds between two codes."""
SATURATED_FOR = 3.0
"""Seconds that the batch runs alone before the first code."""
ARRIVES_WITHIN = 60.0
WANTED = 1.0
"""Seconds at the 95th percentile."""
TEXT = "Your code is XXXX."


def main() -> None:
    number = int(sys.argv[1]) if sys.argv[1:] else CODES
    portal.begin("A code beside a batch")
    from .clusters import calls_of, sandbox_process

    with sandbox_process(DELAY) as (remote, url):
        remote.add_account("haorui", "bench", *portal.CREDENTIALS.values())
        account = portal.make_account(
            url, IN_FLIGHT, per_second=PER_SECOND, per_minute=60 * PER_SECOND
        )
        batch = saturate(account, int(number * (max(GAPS) + 1) + ARRIVES_WITHIN) * PER_SECOND)
        sent = _run(account, number)
        arrived = {_reference(call): float(str(call["at"])) for call in calls_of(remote)}
        ran_dry = not _has_work(batch)
        portal.close()
    report(sent, arrived)
    if ran_dry:
        print("  the batch ended before the last code: these figures say nothing")


def report(sent: dict[str, float], arrived: dict[str, float]) -> None:
    """Print the codes' latency and the batch's rate between the first code and the last."""
    waits = [arrived[reference] - at for reference, at in sent.items() if reference in arrived]
    if len(waits) < 2:
        print(f"  of {len(sent)} codes only {len(waits)} arrived beside {len(arrived)} calls")
        return
    first, last = min(sent.values()), max(sent.values())
    others = [at for one, at in arrived.items() if one not in sent and first <= at <= last]
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(
        f"  {len(waits)} of {len(sent)} codes beside a batch at"
        f" {len(others) / (last - first):.1f} of {PER_SECOND} a second:"
        f" median {statistics.median(waits) * 1000:.0f} ms, 95th percentile {p95 * 1000:.0f} ms,"
        f" longest {max(waits) * 1000:.0f} ms (wanted: 95th percentile {WANTED * 1000:.0f} ms)"
    )


def saturate(account, number: int):  # type: ignore[no-untyped-def]
    """Start a batch of more messages than the account can send during the run.

    It is imported, started and fanned out as staff and the queue do it, so that the engine sends
    it in its bulk lane.
    """
    from messaging.batches import create, fan_out, lifecycle
    from messaging.batches.importing import importer

    by = _staff()
    draft = create.BatchDraft(
        account=account,
        text="Dear {name}, your parcel is on its way.",
        sms_kind="T",
        sender_id="BENCH",
        file_name="recipients.csv",
        content=[csv_file(number)],
    )
    batch, _ = create.create_batch(draft, by=by, form_token="bench")
    importer.run(batch.pk)
    batch.refresh_from_db()
    lifecycle.start(batch, by)
    batch.refresh_from_db()
    while fan_out.run(batch):
        pass
    batch.refresh_from_db()
    if batch.state != "sending" or not batch.laid_out:
        raise RuntimeError(f"The batch does not run: it is {batch.state}.")
    return batch


def _has_work(batch) -> bool:  # type: ignore[no-untyped-def]
    from messaging.models import Message

    return Message.objects.filter(batch=batch, state="queued").exists()


def _staff():  # type: ignore[no-untyped-def]
    from django.contrib.auth.models import User

    return User.objects.get_or_create(username="bench", defaults={"is_superuser": True})[0]


def _run(account, number: int) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Run the engine in this thread and staff in another.

    Returns the time of sending for each of our references.
    """
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
    from core.phones.parse import parse_number
    from otp.routes import default_route, with_dots
    from otp.sessions import Plan, start

    number = parse_number(f"+86138{index:04}{index:04}")
    route = default_route(account, number.country, with_dots(TEXT))
    plan = Plan(route=route, recipient=number, minutes=10)
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
