"""Assign accounts to loops. A lease that is not renewed within its time to live is free."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from ..clock import database_now, sql_now
from ..models import Account, Lease
from . import heartbeats
from .heartbeats import LONGEST_LEASE
from .lease_shares import LeaseState, share_of

TIME_TO_LIVE = heartbeats.SHARING_TIMEOUT
"""Seconds. A loop renews after a third of it, so another one takes over within 10 s."""
LACKING_PAUSE = 0.25
"""Seconds until a loop that has less than its share looks again for a free lease."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The leases of a loop after it renewed them."""

    held: set[int]
    taken: Mapping[int, float] = field(default_factory=dict)
    """Those that it did not hold before, and for how many seconds no loop has held them."""
    cut_off: set[int] = field(default_factory=set)
    """Those of them that expired, so that calls of the former holder may not be recorded."""
    surplus: int = 0
    """How many accounts it holds beyond its share."""
    next_in: float = TIME_TO_LIVE
    """Seconds until there may be something to take."""


def renew(holder: UUID, host: str = "") -> Renewal:
    """Renew this loop's leases and take free ones up to its share."""
    for missing in Account.objects.filter(lease=None):
        Lease.objects.get_or_create(account=missing)
    extend(holder)
    leases = _read()
    if any(one.expires_in > LONGEST_LEASE for one in leases):
        _shorten_far_leases()
    held = {one.account_id for one in leases if one.holder == holder.hex and not one.is_free}
    loops = {**heartbeats.sharing_loops(), holder.hex: host}
    share = share_of(holder.hex, loops, leases)
    if share.wanted and all(one.is_free for one in leases):
        heartbeats.note_end_of_gap()
    taken = _take(holder, share.to_take, share.wanted)
    expired = {one.account_id for one in leases if one.holder and one.is_free}
    others = [one.expires_in for one in leases if not one.is_free and one.holder != holder.hex]
    return Renewal(
        held | taken,
        {one.account_id: one.free_for for one in leases if one.account_id in taken},
        taken & expired,
        share.surplus,
        LACKING_PAUSE if share.wanted > len(taken) else min(others, default=TIME_TO_LIVE),
    )


def _read() -> list[LeaseState]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT account_id, holder, expires_at, {sql_now()}
                  FROM providers_lease ORDER BY account_id"""  # noqa: S608 - our constants
        )
        return [_state(*row) for row in cursor.fetchall()]


def _shorten_far_leases() -> None:
    """Shorten leases from before the clock was set back.

    They are not taken at once: their holder may live, and then renews them in time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE providers_lease SET expires_at = {sql_now()} + {TIME_TO_LIVE}
                 WHERE expires_at > {sql_now()} + {LONGEST_LEASE}"""  # noqa: S608 - our constants
        )


def _state(account_id: int, holder: str, expires_at: float, now: float) -> LeaseState:
    left = expires_at - now
    is_free = left <= 0
    # Zero says nothing: the account is new, or a loop of an older version freed it.
    free_for = max(0.0, -left) if is_free and expires_at else 0.0
    return LeaseState(account_id, holder, is_free, left, free_for)


def _take(holder: UUID, candidates: Sequence[int], wanted: int) -> set[int]:
    """Take leases that are still free. Returns their accounts."""
    if not candidates or not wanted:
        return set()
    chosen = list(candidates[:wanted])
    places = ", ".join(["%s"] * len(chosen))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE providers_lease
                   SET holder = %s, expires_at = {sql_now()} + %s
                 WHERE account_id IN ({places}) AND expires_at <= {sql_now()}
             RETURNING account_id""",  # noqa: S608 - built from constants of ours
            [holder.hex, TIME_TO_LIVE, *chosen],
        )
        return {row[0] for row in cursor.fetchall()}


def extend(holder: UUID) -> None:
    """Renew this holder's leases without taking more. A loop that shuts down calls this."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE providers_lease SET expires_at = {sql_now()} + %s WHERE holder = %s",  # noqa: S608 - our constants
            [TIME_TO_LIVE, holder.hex],
        )


def release(holder: UUID, accounts: Collection[int] | None = None) -> None:
    """Free this holder's leases now (all: None), so that another loop need not wait.

    `expires_at` then says when that was.
    """
    ours = Lease.objects.filter(holder=holder.hex)
    if accounts is not None:
        ours = ours.filter(account__in=accounts)
    ours.update(holder="", expires_at=RawSQL(sql_now(), []))  # noqa: S611 - a constant of ours


def is_engine_alive() -> bool:
    """Whether any loop holds a lease now."""
    now = database_now()
    return Lease.objects.filter(expires_at__gt=now, expires_at__lt=now + LONGEST_LEASE).exists()
