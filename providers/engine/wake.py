"""Starting loops. A lost start loses nothing: any loop takes any runnable row."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from . import heartbeats, leases

CLUSTER = "engine"


def start_loop() -> None:
    """Ask the engine's cluster for one more loop. Part of the caller's transaction."""
    async_task("providers.engine.task.run", cluster=CLUSTER, task_name="engine loop")


def wake_engine() -> bool:
    """Kick where no loop holds a lease and none is on its way already."""
    if leases.is_engine_alive() or _count_queued_loops():
        return False
    with transaction.atomic():
        start_loop()
    return True


def keep_running() -> int:
    """See to it that one loop works and one stands by; return how many were kicked.

    The watchdog's duty each minute, and that of a loop whose time is over.
    """
    missing = max(0, _loops_per_cluster() - len(heartbeats.living_loops()) - _count_queued_loops())
    for _ in range(missing):
        start_loop()
    return missing


def start_loops() -> None:
    """As many loops as one cluster has workers; for the moment when a cluster starts.

    Signs of life of loops that were just killed are still fresh then, so they do not
    count. One loop too many stands by and leaves in time.
    """
    for _ in range(_loops_per_cluster() - _count_queued_loops()):
        start_loop()


def _loops_per_cluster() -> int:
    wanted: int = settings.Q_CLUSTER["ALT_CLUSTERS"][CLUSTER]["workers"]
    return wanted


def _count_queued_loops() -> int:
    """Tasks that no cluster has fetched yet. One that a killed worker left behind is
    locked for long and counts for nothing."""
    waiting: int = OrmQ.objects.filter(key=CLUSTER, lock__lte=timezone.now()).count()
    return waiting
