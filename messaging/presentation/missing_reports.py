"""Count the messages that wait for a report and those that never got one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Min, Q

from providers import clock
from providers.callbacks.health import MissingReports

from ..models import Message
from ..states import REPORTS, MessageState

S = MessageState
COUNTED_PERIOD: Final = timedelta(days=7)
"""Period that is counted, before the time at which a report is overdue."""


def missing_reports_of(accounts: Collection[int]) -> Mapping[int, MissingReports]:
    """Return the missing reports by account, over recently accepted messages."""
    overdue_before = clock.now() - timedelta(hours=settings.REPORT_HOURS)
    accepted = Message.objects.filter(
        account__in=accounts,
        state__in=(S.SUBMITTED, *REPORTS),
        created_at__gte=overdue_before - COUNTED_PERIOD,
    )
    unreported = Q(state=S.SUBMITTED, reported_at=None, settled_at=None)
    ripe = Q(answered_at__lte=overdue_before)
    rows = (
        accepted.order_by()
        .values_list("account")
        .annotate(
            waiting=Count("pk", filter=unreported & ~ripe),
            ripe=Count("pk", filter=ripe),
            silent=Count("pk", filter=unreported & ripe),
            since=Min("answered_at", filter=unreported & ~ripe),
        )
    )
    return {account: MissingReports(*counted) for account, *counted in rows}
