"""Tell people what became of things that they began.

A notice is a row, so it waits for a person who is not at the portal. Each event is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from .models import Notice
from .pruning import delete_in_chunks
from .stored_texts import Stored

MOST_SHOWN: Final = 100
KEPT_FOR: Final = timedelta(days=30)


def notify(user_id: int, event: str, text: Stored, url: str) -> None:
    """Add a notice for one person, unless they were told of this event before."""
    Notice.objects.bulk_create(
        [Notice(user_id=user_id, event=event, text=text, url=url)], ignore_conflicts=True
    )


def unread_of(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, read_at=None)


def unread_of_row() -> Subquery:
    """The number of unread notices of each user in a query of users, or None."""
    unread = Notice.objects.filter(user=OuterRef("pk"), read_at=None).order_by()
    return Subquery(unread.values("user").annotate(count=Count("pk")).values("count"))


def newest_of(user: User) -> Sequence[Notice]:
    return list(Notice.objects.filter(user=user).order_by("-created_at", "-pk")[:MOST_SHOWN])


def mark_read(notices: QuerySet[Notice]) -> None:
    notices.filter(read_at=None).update(read_at=timezone.now())


def prune() -> int:
    """Delete notices older than `KEPT_FOR`. Returns the number of deleted rows."""
    return delete_in_chunks(Notice.objects.filter(created_at__lt=timezone.now() - KEPT_FOR))
