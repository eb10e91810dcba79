"""What all parts of the history share: the moments, the people, the accounts, the numbers."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone

from providers.models import Account

DAYS: Final = 30
QUIET_END: Final = timedelta(minutes=40)
"""Nothing begins later than this before now, so that all of it has ended by now."""

WEEKDAYS: Final = (1.0, 1.06, 1.0, 0.97, 1.1, 0.5, 0.36)
"""How busy each day of the week is, from Monday."""
OFFICE_HOURS: Final = (
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    3,
    9,
    14,
    15,
    12,
    7,
    10,
    13,
    13,
    11,
    8,
    5,
    4,
    2,
    1,
    1,
    0,
)
CODE_HOURS: Final = (2, 1, 1, 1, 1, 1, 2, 4, 7, 10, 11, 10, 9, 9, 10, 10, 9, 9, 9, 10, 9, 7, 5, 3)

SENDERS: Final = {"operator": 60, "manager": 30, "admin": 10}


@dataclass(slots=True)
class Ground:
    now: datetime
    rng: Random
    people: dict[str, User]
    accounts: dict[str, Account]
    """By a short name: the provider's key, and `second` for the paused account."""
    _serials: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_demo(cls, now: datetime, rng: Random) -> Ground:
        people = {user.username: user for user in User.objects.all()}
        accounts = {account.provider: account for account in Account.objects.order_by("-pk")}
        return cls(now, rng, people, accounts)

    @property
    def start(self) -> datetime:
        return self.now - timedelta(days=DAYS)

    def public_id(self) -> str:
        return base64.urlsafe_b64encode(self.rng.randbytes(12)).decode()[:16]

    def reference(self) -> str:
        return self.rng.randbytes(16).hex()

    def next_id(self, kind: str, first: int) -> str:
        """The provider's next id, in a range that the sandbox does not use."""
        number = self._serials[kind] = self._serials.get(kind, first - 1) + 1
        return str(number)

    def seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=self.rng.uniform(least, most))

    def delay(self, median: float) -> timedelta:
        """A delivery time: most are near the median in seconds, few take many times as long."""
        return timedelta(seconds=median * self.rng.lognormvariate(0.0, 0.75))

    def choose(self, weights: dict[str, int]) -> str:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def sender(self) -> User:
        return self.people[self.choose(SENDERS)]

    def moments(self, per_day: float, hours: Sequence[int]) -> Iterator[datetime]:
        """Moments of the month in their order, by the rhythm of days and hours of the office."""
        zone = timezone.get_default_timezone()
        last = self.now - QUIET_END
        today = self.now.astimezone(zone).date()
        for back in range(DAYS, -1, -1):
            day = today - timedelta(days=back)
            growth = 1.12 - 0.24 * back / DAYS
            busy = per_day * WEEKDAYS[day.weekday()] * growth * self.rng.uniform(0.88, 1.12)
            found = [self._moment_within(day, hours, zone) for _ in range(round(busy))]
            yield from sorted(moment for moment in found if self.start <= moment <= last)

    def _moment_within(self, day: object, hours: Sequence[int], zone: object) -> datetime:
        hour = self.rng.choices(range(24), hours)[0]
        at = time(hour, self.rng.randrange(60), self.rng.randrange(60), self.rng.randrange(10**6))
        local = datetime.combine(day, at, tzinfo=zone)  # type: ignore[arg-type]
        return local.astimezone(self.now.tzinfo)

    def days_ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


_RANGES: Final = {
    "CN": ("+861600000", 4),
    "ID": ("+628400000", 4),
    "PH": ("+63990000", 4),
    "TH": ("+6670000", 4),
    "US": ("+1{area}55501", 2),
}
_AREAS: Final = ("202", "206", "212", "303", "312", "404", "415", "512", "602", "617", "702", "801")


def invent_number(ground: Ground, country: str) -> str:
    """A number in E.164 that nobody has.

    In the USA 555-01xx is reserved for fiction. The other countries reserve nothing, so theirs
    begin with digits that the numbering plans give to no operator.
    """
    start, digits = _RANGES[country]
    number = f"{ground.rng.randrange(1, 10**digits - 1):0{digits}}"
    return start.format(area=ground.rng.choice(_AREAS)) + number
