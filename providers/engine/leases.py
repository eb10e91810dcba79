"""Assign accounts to loops. A lease that is not renewed within its time to live is free."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from ..clock import database_now, sql_now
from ..models import Account, Lease

TIME_TO_LIVE = 6.0
"""Seconds. A loop renews after a third of it, so another one takes over within 10 s."""
LONGEST_LEASE = TIME_TO_LIVE + 1.0
"""Seconds. A lease that ends later is from before the database's clock was set back."""


def renew(holder: UUID) -> set[int]:
    """Take every free lease and renew those of this holder. Returns the ids of its accounts."""
    for missing in Account.objects.filter(lease=None):
        Lease.objects.get_or_create(account=missing)
    with connection.cursor() as cursor:
        # Shortened and not taken: its holder may live, and renews it in time.
        cursor.execute(
            f"""UPDATE providers_lease SET expires_at = {sql_now()} + {TIME_TO_LIVE}
                 WHERE expires_at > {sql_now()} + {LONGEST_LEASE}"""  # noqa: S608 - our constants
        )
        cursor.execute(
            f"""UPDATE providers_lease
                   SET holder = %s, expires_at = {sql_now()} + %s
                 WHERE holder = %s OR expires_at < {sql_now()}
             RETURNING account_id""",  # noqa: S608 - built from constants of ours
            [holder.hex, TIME_TO_LIVE, holder.hex],
        )
        return {row[0] for row in cursor.fetchall()}


def extend(holder: UUID) -> None:
    """Renew this holder's leases without taking more. A loop that shuts down calls this."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE providers_lease SET expires_at = {sql_now()} + %s WHERE holder = %s",  # noqa: S608 - our constants
            [TIME_TO_LIVE, holder.hex],
        )


def release(holder: UUID, except_for: Collection[int] = ()) -> None:
    """Free this holder's leases now, so that another loop need not wait for them to expire."""
    ours = Lease.objects.filter(holder=holder.hex).exclude(account__in=except_for)
    ours.update(holder="", expires_at=0)


def is_engine_alive() -> bool:
    """Whether any loop holds a lease now."""
    now = database_now()
    return Lease.objects.filter(expires_at__gt=now, expires_at__lt=now + LONGEST_LEASE).exists()
