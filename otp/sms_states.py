"""The state of a session's newest message, noted on the session.

An index finds the sessions of one state by it. Without it, each session would be looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from messaging.states import WAITING, MessageState
from providers import clock

from .models import SentCode, Session

UNDER_WAY: Final = ""
"""Noted while the message waits or is being sent. Its states then follow each other quickly."""
MARKED: Final = "marked"
"""Accepted according to a person, without a report."""
SLICE: Final = 2_000
LONGEST: Final = 2.0
"""Seconds that one run of `note_missing` takes at most, apart from its last slice."""
OVERLOOKED_AFTER: Final = timedelta(hours=1)

_M: Final = MessageState


def note(sessions: QuerySet[Session]) -> int:
    """Note the state of the newest message on each of these sessions. Returns their number."""
    is_marked = Q(message__settled_at__isnull=False, message__reported_at=None)
    state = Case(
        When(message__state__in=sorted(WAITING), then=Value(UNDER_WAY)),
        When(is_marked, message__state=_M.SUBMITTED, then=Value(MARKED)),
        default=F("message__state"),
        output_field=CharField(),
    )
    since = Coalesce("message__answered_at", "message__handed_over_at")
    codes = SentCode.objects.filter(session=OuterRef("pk")).order_by("-serial")
    return sessions.order_by().update(
        sms_state=Coalesce(
            Subquery(codes.annotate(noted=state).values("noted")[:1]), Value(UNDER_WAY)
        ),
        sms_since=Subquery(codes.annotate(noted=since).values("noted")[:1]),
    )


def note_missing() -> None:
    """Note what is missing, a slice at a time: on rows of earlier versions, and after a failure."""
    until = time.monotonic() + LONGEST
    for rows in _missing():
        with transaction.atomic():
            note(rows)
        if time.monotonic() >= until:
            return


def _missing() -> Iterator[QuerySet[Session]]:
    """Sessions that a message has left behind, then those without a note."""
    before = clock.now() - OVERLOOKED_AFTER
    overlooked = Session.objects.filter(sms_state=UNDER_WAY, created_at__lt=before)
    if keys := _keys(overlooked):
        yield Session.objects.filter(pk__in=keys, sms_state=UNDER_WAY)
    while keys := _keys(Session.objects.filter(sms_state=None)):
        # What is noted meanwhile is newer than what this statement would read.
        yield Session.objects.filter(pk__in=keys, sms_state=None)


def _keys(rows: QuerySet[Session]) -> list[int]:
    # Any of them: PostgreSQL would sort all for an order.
    return list(rows.order_by().values_list("pk", flat=True)[:SLICE])
