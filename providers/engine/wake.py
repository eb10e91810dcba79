"""Start the engine's loops. A lost start loses nothing: any loop takes any due row."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from . import heartbeats, leases

CLUSTER = "engine"


def start_loop() -> None:
    """Queue one more loop for the engine's cluster, in the caller's transaction."""
    async_task("providers.engine.task.run", cluster=CLUSTER, task_name="engine loop")


def wake_engine() -> bool:
    """Queue a loop unless one holds a lease or is queued already. Returns whether it did."""
    if leases.is_engine_alive() or _count_queued_loops():
        return False
    with transaction.atomic():
        start_loop()
    return True


def keep_running() -> int:
    """Queue the loops that a cluster lacks, so that one works and one stands by.

    The watchdog calls this each minute, and so does a loop at the end of its run.
    Returns the number of loops queued.
    """
    missing = max(0, _loops_per_cluster() - len(heartbeats.living_loops()) - _count_queued_loops())
    for _ in range(missing):
        start_loop()
    return missing


def start_loops() -> None:
    """Queue one loop per worker when a cluster starts.

    Heartbeats do not count here, because those of loops that were just killed are still fresh.
    A loop too many stands by until its run ends.
    """
    for _ in range(_loops_per_cluster() - _count_queued_loops()):
        start_loop()


def _loops_per_cluster() -> int:
    wanted: int = settings.Q_CLUSTER["ALT_CLUSTERS"][CLUSTER]["workers"]
    return wanted


def _count_queued_loops() -> int:
    """Tasks that no cluster has fetched yet. The task of a killed worker stays locked for long,
    so it does not count."""
    waiting: int = OrmQ.objects.filter(key=CLUSTER, lock__lte=timezone.now()).count()
    return waiting
