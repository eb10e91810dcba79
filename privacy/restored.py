"""Erase again what a restored backup brought back. Each start of the portal looks, and the queue
after a legal hold was lifted."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.personal_data import held_numbers, places
from core.phones.digests import digests_of
from core.phones.parse import search_key
from providers import clock

from . import remembered, restored_texts
from .models import ErasedNumber, LegalHold

LATELY: Final = timedelta(days=1)


def erase_again() -> int:
    """Compare the hashes beside the database with those in it, both ways.

    Numbers that were erased, and that this database does not know as erased, are erased again.
    Those on legal hold wait: while it lasts, they count as not erased. Returns how many erasures
    began.
    """
    kept = remembered.read()
    known = set(ErasedNumber.objects.values_list("digest", flat=True))
    remembered.write(known - kept)
    missing = kept - known - {one for number in held_numbers() for one in digests_of(number)}
    if not missing:
        return 0
    found = _numbers_with(missing)
    begun = sum(map(restored_texts.erase_found, found))
    restored_texts.begin_search(missing - {digest for one in found for digest in digests_of(one)})
    ErasedNumber.objects.bulk_create(
        [ErasedNumber(digest=digest) for digest in sorted(missing)], ignore_conflicts=True
    )
    return begun


def may_bring_more() -> bool:
    """Whether a hold was lifted lately that may have kept what a restored backup brought back."""
    return LegalHold.objects.filter(lifted_at__gt=clock.now() - LATELY).exists()


def _numbers_with(digests: set[str]) -> set[str]:
    found: set[str] = set()
    for place in places():
        if not place.number or place.on_purpose:
            continue
        numbers = place.rows.order_by().values_list(place.number, flat=True).distinct()
        for stated in numbers.iterator(chunk_size=2_000):
            number = stated if stated.startswith("+") else search_key(stated) or stated
            if number not in found and not digests.isdisjoint(digests_of(number)):
                found.add(number)
    return found
