"""Start the engine's loops. A lost start loses nothing: any loop takes any due row.

One task always waits in the queue, besides those that each cluster has fetched in advance. So a
worker that starts finds a loop at once, whatever was killed before. These check that one
waits, and queue the next if not: each worker when it starts, each loop while it runs, the code that
writes work while no loop lives, and a schedule.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_spawn
from django_q.tasks import async_task

from .. import clock
from . import leases

logger = logging.getLogger(__name__)

CLUSTER = "engine"


def start_loop() -> None:
    """Queue one more loop for the engine's cluster, in the caller's transaction."""
    async_task("providers.engine.task.run", cluster=CLUSTER, task_name="engine loop")


def wake_engine() -> bool:
    """Queue a loop unless one holds a lease or waits already. Returns whether it did."""
    if leases.is_engine_alive():
        return False
    with transaction.atomic():
        return keep_running()


def keep_running() -> bool:
    """Queue a loop unless one waits. Returns whether it did.

    A task that a cluster has fetched is locked and does not count: its worker may be dead, and
    the lock outlives it for long.
    """
    if OrmQ.objects.filter(key=CLUSTER, lock__lte=clock.now()).exists():
        return False
    start_loop()
    return True


def watch_workers() -> None:
    """Let each worker of the engine's cluster make sure that a loop waits for it."""
    post_spawn.connect(_worker_started, dispatch_uid="providers.engine.wake")


def _worker_started(**_: object) -> None:
    if Conf.CLUSTER_NAME != CLUSTER:
        return
    try:
        keep_running()
    except DatabaseError:
        # An error here would kill the worker. The next process that looks queues the loop.
        logger.exception("The engine could not queue a loop.")
