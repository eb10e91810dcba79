"""Whether one row may be sent, and if not, why. Every row gets exactly one verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from django.conf import settings

from core.phone import PhoneError, PhoneNumber, read
from core.redaction import storable
from providers.gateway.client import CannotTake

from ...do_not_send import listed_numbers
from ...models import Batch, StagedRow
from ...text_rules import MAX_SEGMENTS
from .placeholders import EmptyPlace, Filled
from .xlsx_values import Cells

Verdict = StagedRow.Verdict
LONGEST_TYPED: Final = 120


class RowProblem(StrEnum):
    """Besides these: `phone_` and a `PhoneProblem`."""

    REPEATED = "repeated"
    LISTED = "listed"
    COUNTRY = "country"
    PROVIDER = "provider"
    EMPTY_PLACE = "empty_place"
    TOO_LONG = "too_long"
    SENT_AGAIN = "sent_again"


PHONE: Final = "phone_"


class Refusal(NamedTuple):
    """Not good, and why."""

    verdict: str
    problem: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row as it is to be checked."""

    number: int
    typed: str
    cells: Cells
    again_from: int | None = None


Fill: TypeAlias = Callable[[Candidate], Filled]
"""Makes the text of a row, or raises `EmptyPlace`."""


class Checked(NamedTuple):
    """A row with its verdict. Not a model, since 100,000 of them are made of one file."""

    number: int
    verdict: str
    problem: str = ""
    values: dict[str, Any] | None = None
    typed: str = ""
    recipient: str = ""
    country: str = ""
    text: str = ""
    segments: int = 0
    encoding: str = ""
    again_from: int | None = None


@dataclass
class Tally:
    """What the rows came to so far."""

    verdicts: Counter[str] = field(default_factory=Counter)
    segments: Counter[int] = field(default_factory=Counter)
    """How many good rows take so many segments."""
    _digest: int = 0

    def count(self, row: Checked) -> None:
        self.verdicts[row.verdict] += 1
        if row.verdict == Verdict.GOOD:
            self.segments[row.segments] += 1
            # A sum, so that the order of the numbers does not matter.
            number = hashlib.sha256(row.recipient.encode()).digest()
            self._digest = (self._digest + int.from_bytes(number)) % 2**256

    def figures(self) -> dict[str, Any]:
        """The columns of the batch that tell this."""
        usual = self.segments.most_common(1)[0][0] if self.segments else 0
        return {
            "row_count": self.verdicts.total(),
            "good": self.verdicts[Verdict.GOOD],
            "repeated": self.verdicts[Verdict.REPEATED],
            "listed": self.verdicts[Verdict.LISTED],
            "refused": self.verdicts[Verdict.REFUSED],
            "segments": sum(size * times for size, times in self.segments.items()),
            "usual_segments": usual,
            "costly": sum(times for size, times in self.segments.items() if size > usual),
            "recipients_digest": f"{self._digest:064x}",
        }


class Checker:
    """Checks the rows of one batch in the order of the file. Keeps every good number in
    memory: 100,000 of them take some 15 MB."""

    def __init__(self, batch: Batch) -> None:
        self._text = batch.text
        self._countries = frozenset(batch.account.allowed_countries)
        self._client = batch.account.client
        self._options = batch.account.options
        self._row_of: dict[str, int] = {}
        """Which row a number is sent to from, in whatever way of writing it stands there."""
        self.tally = Tally()

    def check(self, candidates: Sequence[Candidate], fill: Fill) -> list[Checked]:
        """The do-not-send list is asked once for all of them."""
        numbers = [self._read(candidate.typed) for candidate in candidates]
        known = [number.e164 for number in numbers if isinstance(number, PhoneNumber)]
        listed = listed_numbers(known)
        rows = []
        for candidate, number in zip(candidates, numbers, strict=True):
            row = self._verdict(candidate, number, listed, fill)
            self.tally.count(row)
            rows.append(row)
        return rows

    def _read(self, typed: str) -> PhoneNumber | Refusal:
        try:
            number = read(typed, settings.HOME_COUNTRY)
        except PhoneError as error:
            said = {"position": error.position, "digits": error.digits, "expected": error.expected}
            return Refusal(Verdict.REFUSED, f"{PHONE}{error.kind}", said)
        if number.country not in self._countries:
            return Refusal(Verdict.REFUSED, RowProblem.COUNTRY, {"country": number.country})
        if self._client is not None:
            try:
                self._client.address_of(number.e164, self._options)
            except CannotTake as cannot:
                why: dict[str, Any] = {"text": cannot.text, **cannot.values}
                return Refusal(Verdict.REFUSED, RowProblem.PROVIDER, why)
        return number

    def _verdict(
        self, candidate: Candidate, number: PhoneNumber | Refusal, listed: set[str], fill: Fill
    ) -> Checked:
        if isinstance(number, Refusal):
            return _bad(candidate, number)
        filled = self._fill(candidate, number, listed, fill)
        if isinstance(filled, Refusal):
            return _bad(candidate, filled, number)
        return Checked(
            candidate.number,
            Verdict.GOOD,
            recipient=number.e164,
            country=number.country,
            text="" if filled.text == self._text else filled.text,
            segments=filled.segments,
            encoding=filled.encoding,
            again_from=candidate.again_from,
        )

    def _fill(
        self, candidate: Candidate, number: PhoneNumber, listed: set[str], fill: Fill
    ) -> Filled | Refusal:
        earlier = self._row_of.get(number.e164)
        if earlier is not None:
            return Refusal(Verdict.REPEATED, RowProblem.REPEATED, {"row": earlier})
        if number.e164 in listed:
            return Refusal(Verdict.LISTED, RowProblem.LISTED, {})
        try:
            filled = fill(candidate)
        except EmptyPlace as empty:
            return Refusal(Verdict.REFUSED, RowProblem.EMPTY_PLACE, {"column": empty.name})
        if filled.segments > MAX_SEGMENTS:
            said = {"segments": filled.segments, "most": MAX_SEGMENTS}
            return Refusal(Verdict.REFUSED, RowProblem.TOO_LONG, said)
        # Only now: a later row of this number may have what this one lacked.
        self._row_of[number.e164] = candidate.number
        return filled


def _bad(candidate: Candidate, why: Refusal, number: PhoneNumber | None = None) -> Checked:
    return Checked(
        candidate.number,
        *why,
        typed=storable(candidate.typed.strip())[:LONGEST_TYPED],
        recipient=number.e164 if number else "",
        country=number.country if number else "",
        again_from=candidate.again_from,
    )
