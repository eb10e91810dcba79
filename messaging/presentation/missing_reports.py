"""How many messages wait for a report, and how many never got one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from providers.callbacks.health import MissingReports

from ..models import Message
from ..states import REPORTS, MessageState

S = MessageState
LOOKED_AT: Final = timedelta(days=7)
"""Before the time at which a report is no longer waited for."""


def missing_reports_of(accounts: Collection[int]) -> Mapping[int, MissingReports]:
    """By account, counted over what its provider accepted within the last days."""
    ripe_at = timezone.now() - timedelta(hours=settings.REPORT_HOURS)
    accepted = Message.objects.filter(
        account__in=accounts,
        state__in=(S.SUBMITTED, *REPORTS),
        created_at__gte=ripe_at - LOOKED_AT,
    )
    unheard = Q(state=S.SUBMITTED, reported_at=None, settled_at=None)
    ripe = Q(answered_at__lte=ripe_at)
    rows = (
        accepted.order_by()
        .values_list("account")
        .annotate(
            waiting=Count("pk", filter=unheard & ~ripe),
            ripe=Count("pk", filter=ripe),
            silent=Count("pk", filter=unheard & ripe),
            since=Min("answered_at", filter=unheard & ~ripe),
        )
    )
    return {account: MissingReports(*counted) for account, *counted in rows}
