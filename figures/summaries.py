"""What became of messages, codes and orders: the figures of a cut in the terms of people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.db.models import Q

from messaging.states import MessageState
from otp.states import SessionState
from rentals.states import OrderState

from .cuts import By, Line, Period, Totals, cut
from .durations import quantile
from .models import Figure

M, S = MessageState, SessionState


class Subject(StrEnum):
    MESSAGES = "messages"
    CODES = "codes"
    NUMBERS = "numbers"


KINDS: Final = {
    Subject.MESSAGES: (Figure.Kind.TEXT, Figure.Kind.CODE),
    Subject.CODES: (Figure.Kind.SESSION,),
    Subject.NUMBERS: (Figure.Kind.RENT,),
}


_SUBJECTS: Final = {kind: subject for subject, kinds in KINDS.items() for kind in kinds}


class Outcome(StrEnum):
    """What became of a row, from the best to the unclear."""

    GOOD = "good"
    OPEN = "open"
    """Under way, or waiting for a report."""
    SILENT = "silent"
    """Accepted by a provider that sends no reports."""
    FAILED = "failed"
    """Accepted by the provider, and failed."""
    REFUSED = "refused"
    """Not accepted by the provider, or never sent."""
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


OUTCOMES: Final[Mapping[Subject, Mapping[str, Outcome]]] = {
    Subject.MESSAGES: {
        M.DELIVERED: Outcome.GOOD,
        M.SCHEDULED: Outcome.OPEN,
        M.HELD: Outcome.OPEN,
        M.QUEUED: Outcome.OPEN,
        M.SUBMITTED: Outcome.OPEN,
        M.IN_TRANSIT: Outcome.OPEN,
        M.UNDELIVERED: Outcome.FAILED,
        M.REJECTED: Outcome.FAILED,
        M.EXPIRED: Outcome.FAILED,
        M.REFUSED: Outcome.REFUSED,
        M.NOT_SENT: Outcome.REFUSED,
        M.UNKNOWN: Outcome.UNKNOWN,
        M.CANCELLED: Outcome.CANCELLED,
    },
    Subject.CODES: {
        S.VERIFIED: Outcome.GOOD,
        S.PENDING: Outcome.OPEN,
        S.SENT: Outcome.OPEN,
        S.FAILED: Outcome.FAILED,
        S.EXPIRED: Outcome.FAILED,
        S.SEND_UNKNOWN: Outcome.UNKNOWN,
        S.CHECK_UNKNOWN: Outcome.UNKNOWN,
        S.CANCELLED: Outcome.CANCELLED,
    },
    Subject.NUMBERS: {
        OrderState.RECEIVED: Outcome.GOOD,
        OrderState.COMPLETED: Outcome.GOOD,
        OrderState.HELD: Outcome.OPEN,
        OrderState.AWAITING_APPROVAL: Outcome.OPEN,
        OrderState.QUEUED: Outcome.OPEN,
        OrderState.PENDING: Outcome.OPEN,
        OrderState.EXPIRED: Outcome.FAILED,
        OrderState.EXPIRED_UNCONFIRMED: Outcome.FAILED,
        OrderState.STALE: Outcome.FAILED,
        OrderState.REFUSED: Outcome.REFUSED,
        OrderState.NOT_CREATED: Outcome.REFUSED,
        OrderState.UNKNOWN: Outcome.UNKNOWN,
        OrderState.REJECTED: Outcome.CANCELLED,
        OrderState.CANCELLED: Outcome.CANCELLED,
    },
}


def states_with(subject: Subject, *outcomes: Outcome) -> list[str]:
    return [str(state) for state, outcome in OUTCOMES[subject].items() if outcome in outcomes]


@dataclass(slots=True)
class Summary:
    """One line of a table. `classes`: successes by class of their duration."""

    subject: Subject
    by_outcome: dict[Outcome, int] = field(default_factory=dict)
    accepted: int = 0
    succeeded: int = 0
    segments: int = 0
    cost: Decimal = field(default_factory=Decimal)
    unpriced: int = 0
    classes: dict[int, int] = field(default_factory=dict)

    def add(self, state: str, took: int | None, totals: Totals) -> None:
        outcome = OUTCOMES[self.subject].get(state, Outcome.OPEN)
        self.by_outcome[outcome] = self.by_outcome.get(outcome, 0) + totals.count
        self.accepted += totals.accepted
        self.succeeded += totals.succeeded
        self.segments += totals.segments
        self.cost += totals.cost
        self.unpriced += totals.unpriced
        if took is not None:
            self.classes[took] = self.classes.get(took, 0) + totals.count

    def count(self, *outcomes: Outcome) -> int:
        return sum(self.by_outcome.get(outcome, 0) for outcome in outcomes)

    @property
    def total(self) -> int:
        return sum(self.by_outcome.values())

    @property
    def base(self) -> int:
        """What the share is a share of: reported messages, sent codes, placed orders.

        Messages without a report, from a provider that sends none or because it is still to come,
        say nothing about delivery.
        """
        if self.subject is Subject.MESSAGES:
            return self.count(Outcome.GOOD, Outcome.FAILED)
        return self.accepted

    @property
    def share(self) -> float | None:
        return self.succeeded / self.base if self.base else None

    @property
    def known_cost(self) -> Decimal | None:
        """None unless every accepted row had a price."""
        return None if self.unpriced or not self.accepted else self.cost

    def took(self, share: float) -> float | None:
        """Seconds within which this share of the successes came."""
        return quantile(self.classes, share)


def summaries_of_all(
    period: Period, *by: By, where: Q | None = None
) -> dict[Subject, dict[Line, Summary]]:
    """The same as `summaries` for every subject, read together."""
    found: dict[Subject, dict[Line, Summary]] = {subject: {} for subject in Subject}
    lines = cut(period, By.KIND, *by, By.STATE, By.TOOK, where=where)
    for (kind, *key, state, took), totals in lines.items():
        subject = _SUBJECTS.get(kind)
        if subject is not None:
            line = found[subject].setdefault(tuple(key), Summary(subject))
            line.add(state, took, totals)
    return found


def summaries(
    subject: Subject, period: Period, *by: By, where: Q | None = None
) -> dict[Line, Summary]:
    """What became of the rows of a period, for each line of a cut."""
    found: dict[Line, Summary] = defaultdict(lambda: Summary(subject))
    only = Q(kind__in=KINDS[subject])
    lines = cut(period, *by, By.STATE, By.TOOK, where=only & where if where else only)
    for (*key, state, took), totals in lines.items():
        found[tuple(key)].add(state, took, totals)
    return dict(found)


def merge(subject: Subject, parts: Iterable[Summary]) -> Summary:
    """The sum of several lines."""
    total = Summary(subject)
    for part in parts:
        for outcome, count in part.by_outcome.items():
            total.by_outcome[outcome] = total.by_outcome.get(outcome, 0) + count
        for took, count in part.classes.items():
            total.classes[took] = total.classes.get(took, 0) + count
        total.accepted += part.accepted
        total.succeeded += part.succeeded
        total.segments += part.segments
        total.cost += part.cost
        total.unpriced += part.unpriced
    return total
