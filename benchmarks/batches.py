"""A whole batch from its file to the provider, and the latency of single sends meanwhile.

python -m benchmarks.batches [messages]

The sandbox answers after 50 ms. The engine runs in its own process, whose memory is measured.
At the end, the sandbox's book must agree with our rows.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from . import portal
from .batch_import import csv_file

MESSAGES = 100_000
IN_FLIGHT = 16
DELAY = 0.05
A_SECOND = 250
"""The account's rate limit, which is lower than its calls in flight allow."""
GAPS = (0.3, 0.9)
"""Seconds between two single sends."""
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    messages = int(sys.argv[1]) if sys.argv[1:] else MESSAGES
    folder = portal.begin(f"A batch of {messages}")
    from .clusters import count_calls, sandbox_process

    with sandbox_process(DELAY) as (remote, url):
        remote.add_account("haorui", "bench", *portal.CREDENTIALS.values())
        account = portal.make_account(url, IN_FLIGHT, per_second=A_SECOND, per_minute=60 * A_SECOND)
        batch = _prepare_batch(account, messages)
        stop = folder / "stop"
        engine = subprocess.Popen(
            [sys.executable, "-c", f"from benchmarks import batches; batches.run({str(stop)!r})"],
            cwd=ROOT,
            env=os.environ,
        )
        try:
            waits, took = _send_meanwhile(account, batch)
        finally:
            stop.touch()
            engine.wait()
        _print_result(batch, waits, took, count_calls(remote))


def run(stop: str) -> None:
    """Run the engine's loop until the file exists."""
    import resource

    import django

    django.setup()
    from providers.engine.loop import Loop

    Loop(should_stop=Path(stop).exists).run()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  engine: {most:.0f} MB at the most (wanted: 250)", flush=True)


def _prepare_batch(account, messages: int):  # type: ignore[no-untyped-def]
    from django.contrib.auth.models import User

    from messaging.batches import create, fan_out, lifecycle
    from messaging.batches.importing import importer

    by = User.objects.create_superuser("bench")
    # Every hundredth row repeats an earlier one.
    draft = create.BatchDraft(
        account=account,
        text="Dear {name}, your parcel is on its way.",
        sms_kind="T",
        sender_id="BENCH",
        file_name="recipients.csv",
        content=[csv_file(messages)],
    )
    batch, _ = create.create_batch(draft, by=by, form_token="bench")
    steps = []
    for step in (
        lambda: importer.run(batch.pk),
        lambda: lifecycle.start(batch, by),
        lambda: _fan_out_all(fan_out, batch),
    ):
        started = time.perf_counter()
        batch.refresh_from_db()
        step()
        steps.append(time.perf_counter() - started)
    batch.refresh_from_db()
    print(
        f"  read {steps[0]:.1f} s, started {steps[1]:.2f} s, laid out {steps[2]:.1f} s:"
        f" {batch.laid_out} messages",
        flush=True,
    )
    return batch


def _fan_out_all(fan_out, batch) -> None:  # type: ignore[no-untyped-def]
    while fan_out.run(batch):
        pass


def _send_meanwhile(account, batch) -> tuple[list[float], float]:  # type: ignore[no-untyped-def]
    """Send single messages until the batch ends.

    Returns the seconds from row to answer of each, and the duration of the batch.
    """
    from messaging.batches import lifecycle
    from messaging.models import Message

    singles = []
    while not Message.objects.filter(state="submitted").exists():
        time.sleep(0.05)
    started = time.perf_counter()
    while batch.state == "sending":
        # A row as the form makes it. Daily limits are not part of this measurement.
        portal.queue_messages(account, 1)
        singles.append(Message.objects.filter(batch=None).latest("pk").pk)
        time.sleep(random.uniform(*GAPS))
        lifecycle.finish_completed()
        batch.refresh_from_db()
    took = time.perf_counter() - started
    while Message.objects.filter(batch=None).exclude(state="submitted").exists():
        time.sleep(0.1)
    times = Message.objects.filter(pk__in=singles).values_list("created_at", "answered_at")
    return [(answered - made).total_seconds() for made, answered in times if answered], took


def _print_result(batch, waits: list[float], took: float, accepted: int) -> None:  # type: ignore[no-untyped-def]
    from messaging.models import Message

    ours = Message.objects.filter(state="submitted").count()
    rate = batch.good / took
    print(
        f"  sent {batch.good} in {took:.0f} s: {rate:.0f}/s of the {A_SECOND}/s that the account"
        f" may ({100 * rate / A_SECOND:.0f} %; wanted: at most 90)"
    )
    print(f"  the provider's book: {accepted} accepted; ours: {ours}; equal: {accepted == ours}")
    if len(waits) > 1:
        p95 = statistics.quantiles(waits, n=20)[-1]
        print(
            f"  {len(waits)} single sends meanwhile, from row to answer: median"
            f" {statistics.median(waits) * 1000:.0f} ms, 95th percentile {p95 * 1000:.0f} ms"
            f" (wanted: 1000), longest {max(waits) * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
