"""Tell people what became of things that they began.

A notice is a row, so it waits for a person who is not at the portal. Each event is told once, and
not at all if it is of a kind that the person switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from .admin.buttons import Text
from .models import Notice
from .pruning import delete_in_chunks
from .stored_texts import Stored

MOST_SHOWN: Final = 100
KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """What people choose in their settings. Nobody can switch off what concerns their security."""

    key: str
    label: Text
    is_security: bool = False


_kinds: Final[dict[str, NoticeKind]] = {}
_choices: Final[list[Callable[[int], Collection[str]]]] = []


def register_kind(kind: NoticeKind) -> None:
    _kinds[kind.key] = kind


def kinds() -> list[NoticeKind]:
    """In the order in which the apps registered them; those about security come last."""
    return sorted(_kinds.values(), key=lambda kind: kind.is_security)


def switchable_kinds() -> list[NoticeKind]:
    return [kind for kind in kinds() if not kind.is_security]


def ask_choices(source: Callable[[int], Collection[str]]) -> None:
    """`source` returns the keys of the kinds that a person switched off."""
    if source not in _choices:
        _choices.append(source)


def _is_wanted(user_id: int, kind: str) -> bool:
    known = _kinds.get(kind)
    if known is None or known.is_security:
        return True
    return not any(kind in source(user_id) for source in _choices)


def notify(user_id: int, event: str, text: Stored, url: str, *, kind: str = "") -> None:
    """Add a notice for one person, unless they were told of this event before.

    `kind`: the key of a registered kind, which the person may have switched off. Notices without
    one always come.
    """
    if not _is_wanted(user_id, kind):
        return
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
