"""Preview of a message while staff type: parsed number, segments, cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User

from core.countries import country_name
from core.phones.parse import PhoneNumber
from core.phones.searches import TOO_MANY
from core.text_cleaning import clean_text
from providers.models import Account

from .. import segments
from ..recipients import InvalidRecipient, recipient_for
from ..text_rules import LONGEST_TYPED, MAX_SEGMENTS
from .recipient_form import may_look_up

MOST_NAMED: Final = 10
"""Characters that are named; of more, the number is shown."""
MAX_UNICODE_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class CostlyCharacters:
    """The characters that make a text Unicode; none if it is GSM-7, or mostly Unicode."""

    characters: Sequence[segments.Costly] = ()
    saved: int = 0
    """Segments that replacing saves; 0 if replacing does not help."""

    @property
    def named(self) -> Sequence[segments.Costly]:
        return self.characters[:MOST_NAMED]

    @property
    def more(self) -> int:
        return len(self.characters) - len(self.named)

    @property
    def replacements(self) -> str:
        """JSON pairs for the script of the page."""
        pairs = [[one.character, one.replacement] for one in self.characters]
        return json.dumps([pair for pair in pairs if pair[1] is not None])


@dataclass(frozen=True, slots=True)
class Preview:
    number: PhoneNumber | None
    country: str
    problem: str
    """Why the number cannot be used; empty if it can, or if nothing is typed yet."""
    count: segments.Count
    costly: CostlyCharacters
    too_long_by: int
    """Characters to cut; 0 if the text fits."""
    cost: Decimal | None


def preview_of(
    account: Account | None, typed: str, text: str, reader: User | None = None
) -> Preview:
    """`reader`: who typed the number. Neither it nor an account is needed without a number."""
    number: PhoneNumber | None = None
    problem = ""
    if typed.strip() and reader is not None and not may_look_up(typed, reader):
        problem = str(TOO_MANY)
    elif typed.strip() and account is not None:
        try:
            number = recipient_for(account, typed)
        except InvalidRecipient as reason:
            problem = str(reason)
    text = clean_text(segments.normalise_line_ends(text)[:LONGEST_TYPED])
    counted = segments.count(text)
    return Preview(
        number=number,
        country=country_name(number.country) if number else "",
        problem=problem,
        count=counted,
        costly=costly_in(text, counted),
        too_long_by=segments.surplus(text, MAX_SEGMENTS) if counted.segments > MAX_SEGMENTS else 0,
        cost=_cost(account, counted),
    )


def costly_in(text: str, counted: segments.Count, shown: str | None = None) -> CostlyCharacters:
    """The characters that make `text` Unicode, and what replacing them saves.

    `shown` is the text as typed, if positions in it differ from those in `text`. A text that is
    mostly Unicode needs it, so its characters are not named.
    """
    characters = segments.costly_characters(text if shown is None else shown)
    plain = segments.count(segments.replace_costly(text))
    saved = max(counted.segments - plain.segments, 0)
    unicode = sum(segments.first_costly(character) is not None for character in text)
    if not saved and unicode > len(text) // MAX_UNICODE_SHARE:
        return CostlyCharacters()
    return CostlyCharacters(characters, saved)


def _cost(account: Account | None, counted: segments.Count) -> Decimal | None:
    if account is None or account.price_per_segment is None:
        return None
    return account.price_per_segment * max(counted.segments, 1)
