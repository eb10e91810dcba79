"""The engine's throughput against one queue task per message, in two workers.

Each task posts the same JSON and records the answer.

python -m benchmarks.task_per_message [messages]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import requests

from . import portal
from .dispatch import DELAY, engine
from .provider import slow_provider
from .report import machine

if TYPE_CHECKING:
    from messaging.models import Message

IN_FLIGHT = 32
MESSAGES = 200
ENGINE_MESSAGES = 3000
RUNS = 3
PATIENCE = 300.0


@cache
def session() -> requests.Session:
    """One session per worker process, so that connections persist."""
    return requests.Session()


def body_of(message: Message) -> dict[str, str]:
    return {
        "api_id": "API0",
        "api_password": "password",
        "sms_type": message.sms_kind,
        "encoding": "T",
        "sender_id": message.sender_id,
        "phonenumber": message.recipient.removeprefix("+"),
        "textmessage": message.text,
        "uid": message.reference,
        "callback_url": "https://portal.example/callbacks/" + "x" * 43 + "/",
    }


def send(pk: int) -> None:
    """The task of one message."""
    from django.utils import timezone

    from messaging.models import Message

    message = Message.objects.select_related("account").get(pk=pk)
    Message.objects.filter(pk=pk).update(state="sending", handed_over_at=timezone.now())
    url = f"{message.account.base_url}/api/SendSMS"
    answer = session().post(url, json=body_of(message), timeout=30).json()
    Message.objects.filter(pk=pk).update(
        state="submitted", provider_id=str(answer["message_id"]), answered_at=timezone.now()
    )


def tasks(url: str, number: int) -> float:
    """Messages per second of a queue cluster with one task per message."""
    from django.conf import settings
    from django_q.tasks import async_task

    from messaging.models import Message
    from smsportal.processes.programs import cluster

    with portal.cleared_afterwards():
        portal.queue_messages(portal.make_account(url, 2), number)
        for pk in Message.objects.values_list("pk", flat=True):
            async_task("benchmarks.task_per_message.send", pk)
        program = cluster(settings.Q_CLUSTER["name"])
        with subprocess.Popen(
            program.command, env={**os.environ, **program.environment}, start_new_session=True
        ) as process:
            try:
                _wait_until_sent()
            finally:
                process.terminate()
        times = Message.objects.values_list("handed_over_at", "answered_at")
        first = min(time[0] for time in times if time[0])
        last = max(time[1] for time in times if time[1])
        return number / (last - first).total_seconds()


def _wait_until_sent() -> None:
    from messaging.models import Message

    deadline = time.monotonic() + PATIENCE
    while Message.objects.exclude(state="submitted").exists():
        if time.monotonic() > deadline:
            raise TimeoutError("The cluster did not send them all.")
        time.sleep(0.1)


def main() -> None:
    portal.set_up(PUBLIC_ADDRESS="http://127.0.0.1:8000")
    number = int(sys.argv[1]) if sys.argv[1:] else MESSAGES
    print(f"One task per message, {portal.database_name()}. {machine()}")
    with slow_provider(DELAY) as url:
        pairs = [
            (tasks(url, number), engine(url, IN_FLIGHT, number * ENGINE_MESSAGES // MESSAGES))
            for _ in range(RUNS)
        ]
    tasks_rate = statistics.median(pair[0] for pair in pairs)
    ours = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(ours / tasks_rate for tasks_rate, ours in pairs)
    print(
        f"  2 workers {tasks_rate:4.0f}/s  engine, {IN_FLIGHT} in flight {ours:5.0f}/s"
        f"  ratio {ratio:.1f} (wanted: 12)"
    )


if __name__ == "__main__":
    main()
