"""The hosts that run the portal on this database, as each of them reports itself."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings

from .clock import database_now
from .engine import heartbeats
from .models import Host, Lease

REPORT_EVERY: Final = 5.0
"""Seconds between two reports of a host."""
SILENT_AFTER: Final = timedelta(seconds=20)
"""A host that has not reported for so long is not seen any more."""
KEPT_FOR: Final = timedelta(days=7)
"""How long hosts stay on the page that stopped or vanished."""
MAX_CLOCK_DIFFERENCE: Final = 2.0
"""Seconds by which the clock of a host may differ from the database's."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a host says about itself. `started_at` is by its own clock."""

    role: str
    version: str
    keys: str
    started_at: datetime
    measures: Mapping[str, Any]


def write_report(report: Report) -> None:
    """Write the row of this host. Its times are by the database's clock."""
    before = time.time()
    now = database_now()
    after = time.time()
    difference = (before + after) / 2 - now
    Host.objects.update_or_create(
        name=settings.PORTAL_HOST,
        defaults={
            "role": report.role,
            "version": report.version,
            "keys": report.keys,
            "started_at": report.started_at - timedelta(seconds=difference),
            "seen_at": datetime.fromtimestamp(now, UTC),
            "stopped_at": None,
            "clock_difference": difference,
            **report.measures,
        },
    )


def write_stop() -> None:
    """Record that this host stopped in order."""
    now = datetime.fromtimestamp(database_now(), UTC)
    Host.objects.filter(name=settings.PORTAL_HOST).update(seen_at=now, stopped_at=now)


def prune() -> int:
    """Delete hosts that have not been seen for long."""
    old = datetime.fromtimestamp(database_now(), UTC) - KEPT_FOR
    deleted: int = Host.objects.filter(seen_at__lt=old).delete()[0]
    return deleted


def accounts_by_host() -> dict[str, list[str]]:
    """The names of the accounts that each host's loops serve now."""
    loops = heartbeats.sharing_loops()
    served: dict[str, list[str]] = defaultdict(list)
    held = Lease.objects.filter(expires_at__gt=database_now()).order_by("account__name")
    for holder, account in held.values_list("holder", "account__name"):
        if holder in loops:
            served[loops[holder]].append(account)
    return served
