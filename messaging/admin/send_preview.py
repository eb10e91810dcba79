"""Preview of a message while staff type: parsed number, segments, cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.countries import country_name
from core.phone import PhoneNumber
from providers.models import Account

from .. import segments
from ..recipients import InvalidRecipient, recipient_for
from ..text_rules import LONGEST_TYPED, MAX_SEGMENTS


@dataclass(frozen=True, slots=True)
class Preview:
    number: PhoneNumber | None
    country: str
    problem: str
    """Why the number cannot be used; empty if it can, or if nothing is typed yet."""
    count: segments.Count
    plain_segments: int | None
    """Segments with the costly characters replaced; None if that saves nothing."""
    names_costly: bool
    """Whether to name the costly character. In a text that is mostly Unicode it does not help."""
    too_long_by: int
    """Characters to cut; 0 if the text fits."""
    cost: Decimal | None


def preview_of(account: Account, typed: str, text: str) -> Preview:
    number: PhoneNumber | None = None
    problem = ""
    if typed.strip():
        try:
            number = recipient_for(account, typed)
        except InvalidRecipient as reason:
            problem = str(reason)
    text = segments.normalise_line_ends(text)[:LONGEST_TYPED]
    counted = segments.count(text)
    return Preview(
        number=number,
        country=country_name(number.country) if number else "",
        problem=problem,
        count=counted,
        names_costly=_names_costly(text, counted),
        plain_segments=_plain_segments(text, counted),
        too_long_by=segments.surplus(text, MAX_SEGMENTS) if counted.segments > MAX_SEGMENTS else 0,
        cost=_cost(account, counted),
    )


def _plain_segments(text: str, counted: segments.Count) -> int | None:
    if counted.costly is None or counted.costly.replacement is None:
        return None
    plain = segments.count(segments.replace_costly(text))
    return plain.segments if plain.segments < counted.segments else None


def _names_costly(text: str, counted: segments.Count) -> bool:
    if counted.costly is None:
        return False
    costly = sum(segments.first_costly(character) is not None for character in text)
    return counted.costly.replacement is not None or costly <= len(text) // 4


def _cost(account: Account, counted: segments.Count) -> Decimal | None:
    if account.price_per_segment is None:
        return None
    return account.price_per_segment * max(counted.segments, 1)
