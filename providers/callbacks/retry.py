"""When a stored callback is read again: after a failed attempt, while it matches nothing, and
when staff ask for it.

An attempt is counted before it is made, so that a row whose attempt killed the worker can be
distinguished from rows that were merely waiting in the same chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, QuerySet

from .. import clock
from ..models import Callback
from ..states import CALLBACK_STATES

ATTEMPT_TIMEOUT: Final = timedelta(seconds=60)
"""An attempt without a result after this time is assumed to have killed its worker."""
MAX_ATTEMPTS: Final = 3
RETRY_SECONDS: Final = (1, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200)
RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in RETRY_SECONDS)
"""Delays between successive tries of an unmatched callback: about 28 hours in total."""

FAULT: Final = "portal_fault"
"""The stored problem of a callback whose attempts all failed."""
State = Callback.State


def begin_attempts(rows: QuerySet[Callback]) -> None:
    """Count an attempt for each row. Rows without attempts left become unrecognised."""
    CALLBACK_STATES.move(
        rows.filter(failures__gte=MAX_ATTEMPTS),
        State.UNRECOGNISED,
        problem=FAULT,
        next_try_at=None,
    )
    now = clock.now()
    rows.filter(failures__lt=MAX_ATTEMPTS).update(
        tries=F("tries") + 1,
        failures=F("failures") + 1,
        tried_at=now,
        next_try_at=now + ATTEMPT_TIMEOUT,
    )


def release(ids: Sequence[int]) -> None:
    """Undo the counted attempt of rows that were not started."""
    rows = Callback.objects.filter(pk__in=ids).exclude(problem=FAULT)
    rows.update(tries=F("tries") - 1, failures=F("failures") - 1, next_try_at=clock.now())


def next_retry_at(tries: int) -> datetime | None:
    """When to try an unmatched callback again; None once the retries are used up."""
    if tries > len(RETRY_DELAYS):
        return None
    return clock.now() + RETRY_DELAYS[max(tries, 1) - 1]


def process_again(rows: QuerySet[Callback]) -> int:
    """Reset these callbacks as if they had just arrived, at the request of staff.

    Returns the number of rows.
    """
    return CALLBACK_STATES.move(
        rows,
        State.RECEIVED,
        problem="",
        tries=0,
        failures=0,
        next_try_at=clock.now(),
        tried_at=None,
    )
