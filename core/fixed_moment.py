"""The moment from which the relative dates of filters count, such as "last 7 days".

For a page it is now. Work that goes on after a page was answered fixes it, so that what "today" and
"overdue" mean does not move on while the work lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

_fixed: ContextVar[datetime | None] = ContextVar("fixed_moment", default=None)


@contextmanager
def fix_moment(moment: datetime) -> Iterator[None]:
    """Let filters count from `moment` during the block."""
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)


def fixed_or(now: datetime) -> datetime:
    """The fixed moment, or `now` if there is none."""
    return _fixed.get() or now
