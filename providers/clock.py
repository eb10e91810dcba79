"""The database's clock, which all processes and hosts share.

A process knows it without a query: it counts on by its monotonic clock from the last reading. So
a wall clock of its host that is set does not move any time of a row. SQLite reads the clock of
the host itself. There, what ends rows waits until the clock is settled.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import django.db
from django.core.signals import request_started
from django.db import connection, models
from django.db.backends.signals import connection_created
from django.db.models.expressions import Combinable
from django.utils import timezone
from django_q.signals import pre_execute

logger = logging.getLogger(__name__)

USUAL_OFFSET: Final = 1.0
"""Seconds. The host's own clock is used if it differs less from the database's."""
SMALLEST_STEP: Final = 5.0
"""Seconds. Smaller differences are usual, and no limit of ours depends on them."""
UNSETTLED_FOR: Final = 130.0
"""Seconds after a step in which no row is swept or ended. By then every loop that lives has
recorded its calls, so the marks that are left with a wrong age belong to dead ones."""
LONGEST_READING: Final = 2.0
"""Seconds. A slower answer says too little about the moment of the reading."""
READ_EVERY: Final = 60.0
DOUBTFUL_FOR: Final = 2.0
"""Seconds until a reading from which the host's clock differs is made again."""

_SECONDS = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    # A numeric in PostgreSQL, which cannot be combined with a Python float.
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
}


def sql_now() -> str:
    """The SQL expression for seconds since the epoch, with fractions."""
    return _SECONDS[connection.vendor]


def sql_greatest() -> str:
    """The SQL function that returns the largest of its arguments."""
    return "MAX" if connection.vendor == "sqlite" else "GREATEST"


def database_now() -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql_now()}")
        (now,) = cursor.fetchone()
    return float(now)


# --- what this process knows ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the wall clocks are ahead of the monotonic clock, in seconds."""

    at: float
    host: float
    database: float | None = None
    """None: it is the host's, or not known."""


_reading: Reading | None = None
_stepped_at: float | None = None
"""When a step was last noticed, by the monotonic clock."""


def now() -> datetime:
    """The time by the database's clock, without a query. For every time that a row holds or is
    compared with."""
    reading = _reading
    if reading is None or reading.database is None:
        return timezone.now()
    shared = time.monotonic() + reading.database
    if abs(shared - time.time()) <= USUAL_OFFSET:
        return timezone.now()
    return datetime.fromtimestamp(shared, UTC)


def learn() -> None:
    """Read the clocks, and note whether one was set since the last reading."""
    started = time.monotonic()
    host = time.time() - started
    database = None
    if connection.vendor != "sqlite":
        moment = database_now()
        ended = time.monotonic()
        if ended - started > LONGEST_READING:
            return
        database = moment - (started + ended) / 2
    note(Reading(started, host, database))


def note(reading: Reading) -> None:
    """Take this reading. A difference from the last one is a step. One of the host moves no time
    of a row if the database has a clock of its own."""
    global _reading, _stepped_at
    before, _reading = _reading, reading
    if before is None:
        return
    step = reading.host - before.host
    if reading.database is not None and before.database is not None:
        step = reading.database - before.database
    if abs(step) >= SMALLEST_STEP:
        _stepped_at = time.monotonic()
        logger.warning("A clock was set by %+.0f s.", step)


def is_settled(seconds: float = UNSETTLED_FOR) -> bool:
    """Whether the clock of the rows was not set recently. Read the time before this call: a time
    that is read later may be that of a step."""
    host = time.time() - time.monotonic()
    if _reading is None:
        note(Reading(time.monotonic(), host))
    elif _reading.database is None and abs(host - _reading.host) >= SMALLEST_STEP:
        note(replace(_reading, host=host))
    return _stepped_at is None or time.monotonic() - _stepped_at >= seconds


def state() -> tuple[Reading | None, float | None]:
    """The last reading, and when a step was last noticed, by the monotonic clock."""
    return _reading, _stepped_at


def restore(reading: Reading | None, stepped_at: float | None) -> None:
    """Continue from what another process of this host knew, or from nothing."""
    global _reading, _stepped_at
    _reading, _stepped_at = reading, stepped_at


# --- when to read -----------------------------------------------------------------


def connect_receivers() -> None:
    connection_created.connect(_learn_from_new_connection, dispatch_uid="providers.clock.created")
    request_started.connect(_read_again, dispatch_uid="providers.clock.request")
    pre_execute.connect(_read_again, dispatch_uid="providers.clock.task")


def _learn_from_new_connection(connection: Any, **_: object) -> None:
    if connection.alias == "default":
        learn()


def _read_again(**_: object) -> None:
    """Read the clocks if the last reading is old, or if the host's clock differs from it."""
    if _reading is None or _reading.database is None:
        return
    age = time.monotonic() - _reading.at
    apart = abs(time.time() - time.monotonic() - _reading.database) > USUAL_OFFSET
    if age >= (DOUBTFUL_FOR if apart else READ_EVERY):
        # The next access to the database reports what is wrong with it.
        with suppress(django.db.Error):
            learn()


# --- times of rows ------------------------------------------------------------------

if TYPE_CHECKING:

    class RowTimeField(models.DateTimeField[str | datetime | date | Combinable, datetime]):
        pass

else:

    def RowTimeField(*args: Any, **kwargs: Any) -> models.DateTimeField:  # noqa: N802 - as a class
        """A time that is filled by the shared clock.

        Migrations know it as a field whose default is `timezone.now`. No class of its own, which
        Django would not let an expression mix with other times.
        """
        field = models.DateTimeField(*args, **{"default": timezone.now, **kwargs})
        field.get_default = lambda: now()
        return field
