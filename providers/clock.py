"""The database's clock, which all processes and hosts share."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

USUAL_OFFSET = 1.0
"""Seconds. The host's own clock is used if it differs less from the database's."""

_SECONDS = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    # A numeric in PostgreSQL, which cannot be combined with a Python float.
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
}


def sql_now() -> str:
    """The SQL expression for seconds since the epoch, with fractions."""
    return _SECONDS[connection.vendor]


def sql_greatest() -> str:
    """The SQL function that returns the largest of its arguments."""
    return "MAX" if connection.vendor == "sqlite" else "GREATEST"


_offset = timedelta()


def set_offset(seconds: float) -> None:
    """Note how far the database's clock is ahead of this host's."""
    global _offset
    _offset = timedelta(seconds=seconds if abs(seconds) > USUAL_OFFSET else 0.0)


def now() -> datetime:
    """The time by the database's clock, as far as this process knows it, without a query.

    For times that processes of several hosts compare.
    """
    return timezone.now() + _offset


def database_now() -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql_now()}")
        (now,) = cursor.fetchone()
    return float(now)
