"""Refuse a PostgreSQL server that may lose what it committed.

With `fsync=off`, a power cut of the server may take back marks of calls that were made and paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections


@register(Tags.database)
def check_durability(
    databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Run by `check --database` and before the portal starts."""
    return [found for alias in databases or () for found in _check(connections[alias])]


def _check(connection: Any) -> Iterator[CheckMessage]:
    if connection.vendor != "postgresql" or settings.DATABASE_MAY_LOSE_COMMITS:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, reset_val FROM pg_settings"
            " WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
        )
        server = dict(cursor.fetchall())
    if server["fsync"] != "on":
        yield Error(
            "The PostgreSQL server runs with fsync=off, so a power cut can take back what was"
            " committed, and the portal would repeat paid calls.",
            hint="Set fsync=on in postgresql.conf and restart the server.",
            id="smsportal.E030",
        )
    if server["full_page_writes"] != "on":
        yield Caution(
            "The PostgreSQL server runs with full_page_writes=off. A power cut can damage pages"
            " unless the file system writes them as a whole.",
            id="smsportal.W031",
        )
    if server["synchronous_commit"] in ("off", "local"):
        yield Caution(
            f"The default of synchronous_commit is “{server['synchronous_commit']}”. The portal"
            " turns it on in each of its sessions, which a pooler may hand to others.",
            hint="Behind a pooler, run ALTER ROLE … SET synchronous_commit = on.",
            id="smsportal.W032",
        )
