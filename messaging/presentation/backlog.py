"""The backlog of messages, for the warnings at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Min
from django.db.models.expressions import RawSQL

from providers import clock
from providers.clock import sql_now

from ..models import Message
from ..states import MessageState

UNUSUAL: Final = timedelta(seconds=30)
"""A due message is usually claimed within a second."""


@dataclass(frozen=True, slots=True)
class Backlog:
    count: int
    since: datetime | None
    """When the oldest of them became due."""

    @property
    def is_unusual(self) -> bool:
        return self.since is not None and clock.now() - self.since > UNUSUAL


def backlog() -> Backlog:
    """Count the single messages that are due.

    Messages of a paused account, or of one whose provider asked to slow down, wait for a reason
    that is shown elsewhere. Messages of a batch wait for their turn.
    """
    due = Message.objects.filter(
        state=MessageState.QUEUED,
        batch=None,
        not_before__lte=clock.now(),
        account__paused_at=None,
    ).exclude(account__allowance__slow_until__gt=RawSQL(sql_now(), []))  # noqa: S611 - our constant
    found = due.order_by().aggregate(count=Count("pk"), since=Min("not_before"))
    return Backlog(found["count"], found["since"])
