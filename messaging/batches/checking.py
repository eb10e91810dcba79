"""Whether one row may be sent, and if not, why. Every row gets exactly one verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from core.phone import PhoneError, PhoneNumber, read
from core.redaction import storable
from providers.gateway.client import CannotTake

from ..do_not_send import listed_among
from ..forms import MAX_SEGMENTS
from ..models import Batch, StagedRow
from .tables import Cells
from .texts import EmptyPlace, Filled

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


class _Refused(Exception):
    def __init__(self, problem: str, **values: Any) -> None:
        super().__init__(problem)
        self.problem = problem
        self.values = values


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row as it is to be checked. `fill` makes its text, or raises `EmptyPlace`."""

    number: int
    typed: str
    cells: Cells
    again_from: int | None = None


@dataclass
class Tally:
    """What the rows came to so far."""

    verdicts: Counter[str] = field(default_factory=Counter)
    segments: Counter[int] = field(default_factory=Counter)
    """How many good rows take so many segments."""
    _digest: int = 0

    def count(self, row: StagedRow) -> None:
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
            "rows": self.verdicts.total(),
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

    def __init__(self, batch: Batch, run: UUID) -> None:
        self._batch = batch
        self._run = run
        self._countries = frozenset(batch.account.allowed_countries)
        self._client = batch.account.client
        self._options = batch.account.options
        self._row_of: dict[str, int] = {}
        """Which row a number was seen in first, in whatever way of writing."""
        self.tally = Tally()

    def check(self, candidates: Sequence[Candidate], fill: Any) -> list[StagedRow]:
        """`fill(candidate)` gives the text; the do-not-send list is asked once for all."""
        numbers = [self._read(candidate) for candidate in candidates]
        known = [number.e164 for number in numbers if isinstance(number, PhoneNumber)]
        listed = listed_among(known)
        rows = []
        for candidate, number in zip(candidates, numbers, strict=True):
            row = self._verdict(candidate, number, listed, fill)
            self.tally.count(row)
            rows.append(row)
        return rows

    def _read(self, candidate: Candidate) -> PhoneNumber | _Refused:
        try:
            number = read(candidate.typed, settings.HOME_COUNTRY)
        except PhoneError as error:
            values = {
                "position": error.position,
                "digits": error.digits,
                "expected": error.expected,
            }
            return _Refused(f"{PHONE}{error.kind}", **values)
        if number.country not in self._countries:
            return _Refused(RowProblem.COUNTRY, country=number.country)
        if self._client is not None:
            try:
                self._client.address_of(number.e164, self._options)
            except CannotTake as cannot:
                return _Refused(RowProblem.PROVIDER, text=cannot.text, **cannot.values)
        return number

    def _verdict(
        self, candidate: Candidate, number: PhoneNumber | _Refused, listed: set[str], fill: Any
    ) -> StagedRow:
        row = StagedRow(
            batch_id=self._batch.pk,
            run=self._run,
            number=candidate.number,
            again_from_id=candidate.again_from,
        )
        if isinstance(number, _Refused):
            return _refuse(row, candidate, Verdict.REFUSED, number.problem, number.values)
        row.recipient, row.country = number.e164, number.country
        earlier = self._row_of.setdefault(number.e164, candidate.number)
        if earlier != candidate.number:
            values = {"row": earlier}
            return _refuse(row, candidate, Verdict.REPEATED, RowProblem.REPEATED, values)
        if number.e164 in listed:
            return _refuse(row, candidate, Verdict.LISTED, RowProblem.LISTED, {})
        try:
            filled: Filled = fill(candidate)
        except EmptyPlace as empty:
            values = {"column": empty.name}
            return _refuse(row, candidate, Verdict.REFUSED, RowProblem.EMPTY_PLACE, values)
        if filled.segments > MAX_SEGMENTS:
            values = {"segments": filled.segments, "most": MAX_SEGMENTS}
            return _refuse(row, candidate, Verdict.REFUSED, RowProblem.TOO_LONG, values)
        row.verdict = Verdict.GOOD
        row.encoding, row.segments = filled.encoding, filled.segments
        row.text = "" if filled.text == self._batch.text else filled.text
        return row


def _refuse(
    row: StagedRow, candidate: Candidate, verdict: str, problem: str, values: dict[str, Any]
) -> StagedRow:
    row.verdict, row.problem, row.values = verdict, problem, values
    row.typed = storable(candidate.typed.strip())[:LONGEST_TYPED]
    return row
