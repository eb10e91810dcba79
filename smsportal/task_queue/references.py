"""Lets a queued task carry the reference of the request that queued it into the worker's log.

The reference is one more entry of the task, which earlier versions ignore.
"""

from __future__ import annotations

from typing import Any, Final

from django_q.signals import post_execute_in_worker, pre_enqueue, pre_execute

from core import request_reference

ENTRY: Final = "request_id"
SHARED: Final = frozenset(
    {"providers.engine.task.run", "providers.tasks.beat", "providers.tasks.digest_callbacks"}
)
"""Tasks that do the work of all, whoever happened to wake them."""


def connect() -> None:
    pre_enqueue.connect(_enqueue, dispatch_uid="smsportal.task_queue.references.enqueue")
    pre_execute.connect(_begin, dispatch_uid="smsportal.task_queue.references.begin")
    # The next task is logged before it begins.
    post_execute_in_worker.connect(_end, dispatch_uid="smsportal.task_queue.references.end")


def _enqueue(task: dict[str, Any], **_: Any) -> None:
    if (reference := request_reference.current()) and task.get("func") not in SHARED:
        task[ENTRY] = reference


def _begin(task: dict[str, Any], **_: Any) -> None:
    request_reference.set_current(request_reference.parse(task.get(ENTRY, "")))


def _end(**_: Any) -> None:
    request_reference.set_current("")
