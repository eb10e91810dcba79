"""Duties that must not be done twice at a time, on however many hosts.

Economy, not safety: what such a duty does must bear being done twice, since a process
that stands still may find its lease gone when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection

from .clock import sql_now
from .models import TaskLease


@contextmanager
def only_one(name: str, seconds: float) -> Iterator[Callable[[], bool] | None]:
    """Yields None where somebody else does it. Else a function that keeps the lease for
    `seconds` more and says whether it is still ours; to be called while the work goes on."""
    holder = uuid4().hex

    def keep() -> bool:
        return _take(name, holder, seconds)

    if not keep():
        yield None
        return
    try:
        yield keep
    finally:
        TaskLease.objects.filter(name=name, holder=holder).update(holder="", expires_at=0)


def _take(name: str, holder: str, seconds: float) -> bool:
    TaskLease.objects.get_or_create(name=name)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE providers_tasklease SET holder = %s, expires_at = {sql_now()} + %s
                 WHERE name = %s AND (holder = %s OR expires_at < {sql_now()})""",  # noqa: S608 - our constants
            [holder, seconds, name, holder],
        )
        return bool(cursor.rowcount)
