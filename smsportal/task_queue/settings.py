"""The settings of the queue, for `Q_CLUSTER`."""

from __future__ import annotations

from typing import Any

Q_CLUSTER: dict[str, Any] = {
    "name": "smsportal",
    "orm": "default",
    "broker_class": "smsportal.task_queue.broker.Broker",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 90,
    "retry": 900,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": 0,
    "catch_up": False,
    "poll": 0.05,
    # Once a second is enough to see that a process has died.
    "guard_cycle": 1,
    "recycle": 500,
    "max_rss": 300_000,
    "cache": "default",
    "label": "Queue",
    # Each task of the engine is a long loop. Only these tasks call providers.
    "ALT_CLUSTERS": {
        "engine": {"workers": 2, "timeout": None, "max_rss": None, "retry": 900, "poll": 0.5}
    },
}
