"""What fails more than usual: accounts, countries and people.

Two hours are compared with the seven days before. A difference counts only if chance would hardly
make it: with few messages a share says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any, Final

from .cuts import By, Line, Period
from .summaries import Outcome, Subject, Summary, summaries

RECENT: Final = timedelta(hours=2)
USUAL: Final = timedelta(days=7)
LEAST_RECENT: Final = 50
LEAST_USUAL: Final = 200
LEAST_IN_HOUR: Final = 10
LEAST_DIFFERENCE: Final = 0.1
LEAST_DEVIATIONS: Final = 4.0
"""Standard deviations; a normal day in a thousand years."""
LOOKED_BACK: Final = 24
"""Hours in which the start is looked for."""
WATCHED: Final = (By.ACCOUNT, By.COUNTRY, By.PERSON)


@dataclass(frozen=True, slots=True)
class Standout:
    """Shares are parts of 1. `since`: the hour from which on more failed than usual."""

    by: str
    value: Any
    failed: int
    count: int
    usual: float
    since: str

    @property
    def share(self) -> float:
        return self.failed / self.count

    @property
    def since_(self) -> datetime:
        return datetime.fromisoformat(self.since)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_standouts(now: datetime) -> list[Standout]:
    """The largest difference first."""
    found = [one for by in WATCHED for one in _of_cut(by, now)]
    return sorted(found, key=lambda one: one.usual - one.share)


def _of_cut(by: By, now: datetime) -> Iterator[Standout]:
    recent = Period.between(now - RECENT, now, UTC)
    before = Period.between(now - USUAL, now, UTC)
    usual_period = Period(before.first, recent.first, UTC)
    usual = summaries(Subject.MESSAGES, usual_period, by)
    hours: Mapping[Line, Summary] = {}
    for key, line in summaries(Subject.MESSAGES, recent, by).items():
        failed, count = _failures(line)
        usually = usual.get(key)
        if usually is None or not stands_out(failed, count, *_failures(usually)):
            continue
        if not hours:
            looked = Period.between(now - timedelta(hours=LOOKED_BACK), now, UTC)
            hours = summaries(Subject.MESSAGES, looked, by, By.HOUR)
        usual_failed, usual_count = _failures(usually)
        share = usual_failed / usual_count
        since = _since(key[0], hours, recent, (share + failed / count) / 2)
        yield Standout(str(by), key[0], failed, count, share, since.isoformat())


def _failures(line: Summary) -> tuple[int, int]:
    """How many failed, and of how many the outcome is known."""
    failed = line.count(Outcome.FAILED, Outcome.REFUSED)
    return failed, failed + line.count(Outcome.GOOD)


def stands_out(failed: int, count: int, usual_failed: int, usual_count: int) -> bool:
    """Whether more of a few failed than of many before, and not by chance."""
    if count < LEAST_RECENT or usual_count < LEAST_USUAL:
        return False
    share, usual = failed / count, usual_failed / usual_count
    if share - usual < LEAST_DIFFERENCE:
        return False
    both = (failed + usual_failed) / (count + usual_count)
    deviation = sqrt(both * (1 - both) * (1 / count + 1 / usual_count))
    return deviation == 0 or (share - usual) / deviation >= LEAST_DEVIATIONS


def _since(value: Any, hours: Mapping[Line, Summary], recent: Period, limit: float) -> datetime:
    """The first of the hours in a row, up to now, in which the share was above `limit`."""
    since = recent.start
    for (_value, hour), line in sorted(
        ((key, line) for key, line in hours.items() if key[0] == value),
        key=lambda item: item[0][1],
        reverse=True,
    ):
        failed, count = _failures(line)
        if count < LEAST_IN_HOUR:
            continue
        if failed / count <= limit:
            return max(since, hour + timedelta(hours=1)) if since <= hour else since
        since = hour
    return since
