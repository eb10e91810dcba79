"""The database's clock, which all processes and hosts share."""

from __future__ import annotations

from django.db import connection

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


def database_now() -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql_now()}")
        (now,) = cursor.fetchone()
    return float(now)
