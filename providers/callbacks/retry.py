"""When a stored callback is read again: after a failed attempt, while it matches nothing, and
when staff ask for it.

An attempt is counted before it is made, so that a row whose attempt killed the worker can be
distinguished from rows that were merely waiting in the same chunk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, QuerySet

from .. import clock
from ..models import Callback
from ..states import CALLBACK_STATES

logger = logging.getLogger(__name__)

ATTEMPT_TIMEOUT: Final = timedelta(seconds=60)
"""An attempt without a result after this time is assumed to have killed its worker."""
MAX_ATTEMPTS: Final = 3
RETRY_SECONDS: Final = (1, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200)
RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in RETRY_SECONDS)
"""Delays between successive tries of an unmatched callback: about 28 hours in total."""

MANY_UNMATCHED: Final = 1_000
"""Unmatched callbacks of one account that are still retried, beyond which retries are rare.

Whoever knows an account's address can send as many reports on nothing as they like. None is
dropped, since each may be real, but they must not keep the queue busy for a day.
"""
RARE_RETRY: Final = timedelta(hours=1)
"""The shortest delay of a retry then."""
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


def next_retry_at(tries: int, account_id: int) -> datetime | None:
    """When to try an unmatched callback again; None once the retries are used up."""
    delays = RETRY_DELAYS
    if _crowds.is_crowded(account_id):
        delays = tuple(delay for delay in delays if delay >= RARE_RETRY)
    if tries > len(delays):
        return None
    return clock.now() + delays[max(tries, 1) - 1]


class Crowds:
    """Which accounts have many unmatched callbacks, looked up now and then."""

    EVERY: Final = 10.0

    def __init__(self) -> None:
        self._known: dict[int, tuple[bool, float]] = {}

    def is_crowded(self, account_id: int) -> bool:
        is_crowded, until = self._known.get(account_id, (False, 0.0))
        if time.monotonic() < until:
            return is_crowded
        retried = Callback.objects.filter(
            account_id=account_id, state=State.UNMATCHED, next_try_at__isnull=False
        )
        is_crowded = retried[: MANY_UNMATCHED + 1].count() > MANY_UNMATCHED
        self._known[account_id] = is_crowded, time.monotonic() + self.EVERY
        if is_crowded:
            logger.warning(
                "Account %s has more than %s unmatched callbacks. They are retried rarely."
                " If they are forged, replace its callback address.",
                account_id,
                MANY_UNMATCHED,
            )
        return is_crowded

    def forget(self) -> None:
        self._known.clear()


_crowds: Final = Crowds()


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
