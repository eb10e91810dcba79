"""Erase again what a restored backup brought back. Each start of the portal looks."""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from core.number_digests import digests_of
from core.personal_data import held_numbers, places
from core.phone import search_key
from core.stored_texts import declare

from . import erase, remembered
from .models import ErasedNumber, Erasure

RESTORED: Final = declare(
    "privacy.restored",
    _("The number had been erased before, and a restored backup brought it back"),
)


def erase_again() -> int:
    """Compare the hashes beside the database with those in it, both ways.

    Numbers that were erased, and that this database does not know as erased, are erased again.
    Returns how many erasures began.
    """
    kept = remembered.read()
    known = set(ErasedNumber.objects.values_list("digest", flat=True))
    remembered.write(known - kept)
    missing = kept - known
    if not missing:
        return 0
    begun = sum(_begin(number) for number in _numbers_with(missing))
    ErasedNumber.objects.bulk_create(
        [ErasedNumber(digest=digest) for digest in sorted(missing)], ignore_conflicts=True
    )
    return begun


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
    return found - held_numbers()


def _begin(number: str) -> bool:
    """What is under way is left until it has ended, as in every erasure."""
    if Erasure.objects.filter(digest__in=digests_of(number), finished_at=None).exists():
        return False
    try:
        with transaction.atomic():
            erase.begin(number, RESTORED.store(), None)
    except IntegrityError:
        return False
    return True
