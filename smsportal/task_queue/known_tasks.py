"""The functions that a cluster of the queue may run: those of the portal.

Whoever can write to the database can add a schedule, and a schedule names any function of Python.
So a cluster looks up names in this list instead of importing them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from django.db.models.signals import post_save
from django.utils.module_loading import import_string
from django_q import signals, worker
from django_q.models import Task

from .schedules import scheduled_tasks

logger = logging.getLogger(__name__)

QUEUED: Final = frozenset(
    {
        "alerts.tasks.deliver",
        "audit.tasks.check",
        "core.tasks.write_exports",
        "messaging.batches.tasks.cancel_rest",
        "messaging.batches.tasks.lay_out",
        "messaging.batches.tasks.read",
        "privacy.tasks.erase",
        "privacy.tasks.search_restored",
        "providers.engine.task.run",
        "providers.tasks.beat",
        "providers.tasks.digest_callbacks",
        "providers.tasks.test_callback_address",
    }
)
"""The tasks that the portal itself queues, beside those on a schedule."""


class UnknownTask(Exception):
    """The queue was asked to run a function that is no task of the portal."""


def known_tasks() -> frozenset[str]:
    return QUEUED | {task.func for task in scheduled_tasks()}


def locate(name: object) -> Callable[..., Any]:
    """The task of this name, or one that fails if it is none of the portal's."""
    if isinstance(name, str) and name in known_tasks():
        found: Callable[..., Any] = import_string(name)
        return found
    logger.error("The queue was asked to run %r, which is no task of the portal.", name)

    def refuse(*_args: object, **_options: object) -> None:
        raise UnknownTask(f"{name!r} is no task of the portal.")

    return refuse


def install() -> None:
    """Let the workers of this process's cluster run known tasks only, and no hooks."""
    # The worker calls `pydoc.locate` for whatever name a task has.
    worker.pydoc = SimpleNamespace(locate=locate)
    post_save.disconnect(signals.call_hook, sender=Task)
