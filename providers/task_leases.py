"""Leases for tasks that should run once at a time, on all hosts together.

A lease saves work and guarantees nothing: a process that stalls may lose its lease and continue
beside the next holder. So such a task must tolerate running twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection

from .clock import sql_now
from .models import TaskLease


@contextmanager
def hold_task_lease(name: str, seconds: float) -> Iterator[Callable[[], bool] | None]:
    """Hold the lease `name` during the block.

    Yields None if another process holds it. Otherwise yields a function to be called during the
    work: it renews the lease for `seconds` and returns False once the lease is lost.
    """
    holder = uuid4().hex

    def renew() -> bool:
        return _take(name, holder, seconds)

    if not renew():
        yield None
        return
    try:
        yield renew
    finally:
        TaskLease.objects.filter(name=name, holder=holder).update(holder="", expires_at=0)


def _take(name: str, holder: str, seconds: float) -> bool:
    TaskLease.objects.get_or_create(name=name)
    with connection.cursor() as cursor:
        # A lease further ahead is from before the clock was set back. Its holder may still live.
        cursor.execute(
            f"""UPDATE providers_tasklease SET expires_at = {sql_now()} + %s
                 WHERE name = %s AND expires_at > {sql_now()} + %s""",  # noqa: S608 - our constants
            [seconds, name, seconds + 1],
        )
        cursor.execute(
            f"""UPDATE providers_tasklease SET holder = %s, expires_at = {sql_now()} + %s
                 WHERE name = %s AND (holder = %s OR expires_at < {sql_now()})""",  # noqa: S608 - our constants
            [holder, seconds, name, holder],
        )
        return bool(cursor.rowcount)
