"""The engine's throughput against a bare loop that posts the same JSON and does nothing else.

python -m benchmarks.dispatch [in flight …]
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from itertools import count

import requests

from . import portal
from .provider import slow_provider
from .report import machine

SECONDS_A_RUN = 6
DELAY = 0.05
RUNS = 3


def bare(url: str, threads: int, number: int) -> float:
    """Messages per second of a bare loop with one requests Session per thread."""
    body = {
        "api_id": "API0",
        "api_password": "password",
        "sms_type": "T",
        "encoding": "T",
        "sender_id": "BENCH",
        "phonenumber": "8613900000000",
        "textmessage": "Your parcel is here.",
        "uid": "0" * 32,
        "callback_url": "https://portal.example/callbacks/" + "x" * 43 + "/",
    }
    tickets = count()

    def work() -> None:
        session = requests.Session()
        while next(tickets) < number:
            session.post(f"{url}/api/SendSMS", json=body, timeout=30).json()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return number / (time.perf_counter() - started)


def engine(url: str, in_flight: int, number: int) -> float:
    """Messages per second of the engine's loop, with journal and rate limits."""
    from messaging.models import Message
    from providers.engine.loop import Loop

    with portal.cleared_afterwards():
        account = portal.make_account(url, in_flight)
        portal.queue_messages(account, number)
        next_look = 0.0

        def is_done() -> bool:
            nonlocal next_look
            if time.monotonic() < next_look:
                return False
            next_look = time.monotonic() + 0.1
            return not Message.objects.exclude(state="submitted").exists()

        Loop(should_stop=is_done).run()
        times = Message.objects.values_list("handed_over_at", "answered_at")
        first = min(time[0] for time in times if time[0])
        last = max(time[1] for time in times if time[1])
        return number / (last - first).total_seconds()


def main() -> None:
    portal.set_up()
    widths = [int(word) for word in sys.argv[1:]] or [16, 32, 64]
    print(f"Dispatch, {portal.database_name()}, answers after {DELAY * 1000:.0f} ms. {machine()}")
    with slow_provider(DELAY) as url:
        for width in widths:
            number = int(width / DELAY * SECONDS_A_RUN)
            pairs = [(bare(url, width, number), engine(url, width, number)) for _ in range(RUNS)]
            plain = statistics.median(pair[0] for pair in pairs)
            ours = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(ours / plain for plain, ours in pairs)
            print(
                f"  {width:3} in flight: bare {plain:5.0f}/s  engine {ours:5.0f}/s"
                f"  ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
