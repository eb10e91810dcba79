"""When, and how often, to repeat a call that certainly did nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..gateway.errors import GatewayError
from ..gateway.vocabulary import REDIRECTS, Reason

MAX_TRIES: Final = 3
BACKOFF: Final = (timedelta(seconds=2), timedelta(seconds=10))
"""The wait before the second and the third try."""
HOPELESS: Final = REDIRECTS | {Reason.FORBIDDEN_ADDRESS, Reason.PORTAL_FAULT}
"""The call did nothing, and repeating it would change nothing."""


@dataclass(frozen=True, slots=True)
class NextTry:
    tries: int
    """Tries that count, including the one that just failed."""
    not_before: datetime


def next_try(error: GatewayError, tries: int, now: datetime) -> NextTry | None:
    """When to call again after an error whose outcome is NOT_DONE; None means give up.

    `tries` counts the earlier failures. A request to slow down costs no try, and the account's
    slowdown after it is the wait.
    """
    if error.reason == Reason.RATE_LIMITED:
        return NextTry(tries, now)
    if error.reason in HOPELESS or tries + 1 >= MAX_TRIES:
        return None
    return NextTry(tries + 1, now + BACKOFF[min(tries, len(BACKOFF) - 1)])
