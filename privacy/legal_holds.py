"""Legal holds: nothing about such a number is erased or pruned until the hold is lifted."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from core.acts import record_act
from core.phones.digests import digest_of, digests_of, subject_of
from core.phones.parse import mask
from core.phones.traces import Traces
from core.stored_texts import Stored
from providers import clock

from . import forget
from .models import ErasedNumber, Erasure, LegalHold
from .states import ErasureState


def held_numbers() -> frozenset[str]:
    """The numbers (E.164) on hold. There are few."""
    holds = LegalHold.objects.filter(lifted_at=None)
    return frozenset(str(hold.number.reveal()) for hold in holds)


def find_hold(number: str) -> LegalHold | None:
    return LegalHold.objects.filter(digest__in=digests_of(number), lifted_at=None).first()


def set_hold(number: str, reason: Stored, by: User | None) -> LegalHold | None:
    """Set a hold on a number (E.164). None if there is one."""
    if find_hold(number):
        return None
    try:
        with transaction.atomic():
            hold = LegalHold.objects.create(
                number=number,
                digest=digest_of(number),
                masked=mask(number),
                reason=Traces(number).replaced(reason, mask(number))[:200],
                set_by=by,
            )
            record_act("legal_hold.set", by=by, subject=subject_of(number), hold=hold.pk)
    except IntegrityError:
        return None
    return hold


def lift(hold: LegalHold, because: Stored, by: User | None) -> bool:
    """End a hold. False if it had ended already."""
    stored = LegalHold.objects.get(pk=hold.pk).number
    number = str(stored.reveal()) if stored else ""
    with transaction.atomic():
        lifted = LegalHold.objects.filter(pk=hold.pk, lifted_at=None).update(
            number="",
            lifted_by=by,
            lifted_at=clock.now(),
            lifted_because=Traces(number).replaced(because, hold.masked)[:200],
        )
        if lifted:
            forget.begin_again()
            _mark_as_not_erased(number)
            record_act("legal_hold.lift", by=by, subject=f"legal_hold:{hold.pk}")
    return bool(lifted)


def _mark_as_not_erased(number: str) -> None:
    """If a restored backup brought the number back, and the hold stopped what was to erase it.

    `restored.erase_again` then finds it among those that are missing.
    """
    digests = digests_of(number)
    last = Erasure.objects.filter(digest__in=digests).order_by("-pk").first()
    if last is not None and last.state == ErasureState.STOPPED and last.by_id is None:
        ErasedNumber.objects.filter(digest__in=digests).delete()
