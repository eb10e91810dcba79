"""Check rows. Every row gets exactly one verdict, with the problem if it cannot be sent."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from django.conf import settings

from core.phones.parse import PhoneError, PhoneNumber, PhoneProblem
from core.redaction import storable
from providers.gateway.client import CannotTake

from ...do_not_send import listed_numbers
from ...models import Batch, StagedRow
from ...text_rules import MAX_SEGMENTS
from ..row_caps import RowCaps
from .number_cells import read_number
from .oddities import OddityCount
from .placeholders import EmptyPlaceholder, FilledText, ShortenedPlaceholder
from .shortened import ZEROS
from .xlsx_values import Cells

Verdict = StagedRow.Verdict
LONGEST_TYPED: Final = 120


class RowProblem(StrEnum):
    """Problems of a row. Problems of its number are `phone_` plus a `PhoneProblem` instead."""

    REPEATED = "repeated"
    LISTED = "listed"
    COUNTRY = "country"
    PROVIDER = "provider"
    EMPTY_PLACE = "empty_place"
    SHORTENED_PLACE = "shortened_place"
    TOO_LONG = "too_long"
    SENT_AGAIN = "sent_again"
    MERGED_NUMBER = "merged_number"
    CAP = "cap"


PHONE: Final = "phone_"


class Refusal(NamedTuple):
    """A verdict other than good, with its problem."""

    verdict: str
    problem: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row to check."""

    number: int
    typed: str
    cells: Cells
    again_from: int | None = None
    merged_rows: tuple[int, int] | None = None
    """The rows over which the number's cell is merged, if their texts may differ."""


Fill: TypeAlias = Callable[[Candidate], FilledText]
"""Returns the text of a row. Raises `EmptyPlaceholder` and `ShortenedPlaceholder`."""


class CheckedRow(NamedTuple):
    """A row with its verdict. Not a model instance, because a file may have 100,000 rows."""

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
    """Running totals of the checked rows."""

    verdicts: Counter[str] = field(default_factory=Counter)
    segments: Counter[int] = field(default_factory=Counter)
    """Number of good rows by their number of segments."""
    _digest: int = 0

    def count(self, row: CheckedRow) -> None:
        self.verdicts[row.verdict] += 1
        if row.verdict == Verdict.GOOD:
            self.segments[row.segments] += 1
            # A sum makes the digest independent of the order of the numbers.
            number = hashlib.sha256(row.recipient.encode()).digest()
            self._digest = (self._digest + int.from_bytes(number)) % 2**256

    def figures(self) -> dict[str, Any]:
        """The totals as columns of the batch."""
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


class RowChecker:
    """Checks the rows of one batch in file order.

    Keeps every good number in memory; 100,000 of them take about 15 MB.
    """

    def __init__(self, batch: Batch) -> None:
        self._text = batch.text
        self._is_rounded = False
        self._countries = frozenset(batch.account.allowed_countries)
        self._client = batch.account.client
        self._options = batch.account.options
        self._row_of: dict[str, int] = {}
        """The row that each E.164 number is sent from."""
        self._caps = RowCaps()
        self.tally = Tally()
        self.oddities = OddityCount()

    def refuse_rounded(self) -> None:
        """Refuse numbers that end in zeros: a spreadsheet shortened most of the column."""
        self._is_rounded = True

    def check(self, candidates: Sequence[Candidate], fill: Fill) -> list[CheckedRow]:
        """Check one chunk. The do-not-send list and the caps are read once for all of it."""
        numbers = [self._read(candidate.typed) for candidate in candidates]
        known = [number.e164 for number in numbers if isinstance(number, PhoneNumber)]
        listed = listed_numbers(known)
        self._caps.read(
            (number.e164, number.country) for number in numbers if isinstance(number, PhoneNumber)
        )
        rows = []
        for candidate, number in zip(candidates, numbers, strict=True):
            row = self._verdict(candidate, number, listed, fill)
            self.tally.count(row)
            if row.verdict == Verdict.GOOD:
                self.oddities.count(
                    candidate.typed, row.number, row.recipient, row.country, candidate.cells
                )
            rows.append(row)
        return rows

    def _read(self, typed: str) -> PhoneNumber | Refusal:
        try:
            number = read_number(typed, settings.HOME_COUNTRY)
            if self._is_rounded and number.e164.endswith(ZEROS):
                raise PhoneError(PhoneProblem.SHORTENED, typed)
        except PhoneError as error:
            values = {
                "position": error.position,
                "digits": error.digits,
                "expected": error.expected,
                "country": error.country,
            }
            return Refusal(Verdict.REFUSED, f"{PHONE}{error.kind}", values)
        if number.country not in self._countries:
            return Refusal(Verdict.REFUSED, RowProblem.COUNTRY, {"country": number.country})
        if self._client is not None:
            try:
                self._client.format_recipient(number.e164, self._options)
            except CannotTake as cannot:
                why: dict[str, Any] = {"text": cannot.text, **cannot.values}
                return Refusal(Verdict.REFUSED, RowProblem.PROVIDER, why)
        return number

    def _verdict(
        self, candidate: Candidate, number: PhoneNumber | Refusal, listed: set[str], fill: Fill
    ) -> CheckedRow:
        if isinstance(number, Refusal):
            return _refused_row(candidate, number)
        filled = self._fill(candidate, number, listed, fill)
        if isinstance(filled, Refusal):
            return _refused_row(candidate, filled, number)
        return CheckedRow(
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
    ) -> FilledText | Refusal:
        if candidate.merged_rows is not None:
            first, last = candidate.merged_rows
            return Refusal(
                Verdict.REFUSED, RowProblem.MERGED_NUMBER, {"first": first, "last": last}
            )
        earlier = self._row_of.get(number.e164)
        if earlier is not None:
            return Refusal(Verdict.REPEATED, RowProblem.REPEATED, {"row": earlier})
        if number.e164 in listed:
            return Refusal(Verdict.LISTED, RowProblem.LISTED, {})
        try:
            filled = fill(candidate)
        except EmptyPlaceholder as empty:
            values = {"column": empty.name, "word": empty.word}
            return Refusal(Verdict.REFUSED, RowProblem.EMPTY_PLACE, values)
        except ShortenedPlaceholder as short:
            values = {"column": short.name, "value": short.value[:LONGEST_TYPED]}
            return Refusal(Verdict.REFUSED, RowProblem.SHORTENED_PLACE, values)
        if filled.segments > MAX_SEGMENTS:
            sizes = {"segments": filled.segments, "most": MAX_SEGMENTS}
            return Refusal(Verdict.REFUSED, RowProblem.TOO_LONG, sizes)
        if limit := self._caps.take(number.e164):
            return Refusal(Verdict.REFUSED, RowProblem.CAP, self._caps.values_of(limit))
        # Recorded last: if this row lacks a value, a later row of the same number may have it.
        self._row_of[number.e164] = candidate.number
        return filled


def _refused_row(
    candidate: Candidate, why: Refusal, number: PhoneNumber | None = None
) -> CheckedRow:
    return CheckedRow(
        candidate.number,
        *why,
        typed=storable(candidate.typed.strip())[:LONGEST_TYPED],
        recipient=number.e164 if number else "",
        country=number.country if number else "",
        again_from=candidate.again_from,
    )
