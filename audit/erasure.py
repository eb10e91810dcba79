"""Erase what is personal in acts. The acts stay, and so does the chain over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from core.acts import record_act
from core.models import Act, ActPersonal

from .models import ActAddress
from .seal_acts import seal_all

CHUNK: Final = 500
ERASED: Final = "audit.erase"


def erase_personal(act_ids: Iterable[int], *, by: User | None = None) -> int:
    """Erase the personal rows and addresses of these acts, with their salts.

    Returns of how many acts something was erased.

    Records which acts they were, so that a check of the chain knows that nobody else took them.
    An act that an earlier version wrote is sealed first, which moves its reason to a personal row.
    """
    seal_all()
    return erase_parts(act_ids, by=by, with_addresses=True)


def erase_parts(
    act_ids: Iterable[int], *, by: User | None = None, with_addresses: bool = False
) -> int:
    """The same for acts that are sealed, also in the caller's transaction.

    Addresses are those of staff, so they stay when the number of somebody else is erased.
    """
    wanted = sorted(set(act_ids))
    erased = 0
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        with transaction.atomic():
            rows = ActPersonal.objects.select_for_update().filter(pk__in=chunk)
            found = set(rows.values_list("pk", flat=True))
            ActPersonal.objects.filter(pk__in=found).delete()
            if with_addresses:
                found |= _blank_addresses(chunk)
            if found:
                record_act(ERASED, by=by, acts=sorted(found))
        erased += len(found)
    return erased


def _blank_addresses(act_ids: Iterable[int]) -> set[int]:
    """Blank the addresses of these acts. Returns the acts that had one."""
    known = ActAddress.objects.filter(pk__in=list(act_ids)).exclude(address="")
    found = set(known.values_list("pk", flat=True))
    known.order_by().update(address="", salt="")
    return found


def acts_that_mention(words: str) -> QuerySet[Act]:
    """Acts whose personal row has these words, such as the digits or the token of a number."""
    seal_all()
    return Act.objects.filter(personal_row__text__contains=words).order_by("pk")


def erased_ids() -> set[int]:
    """The acts whose personal rows were erased."""
    found: set[int] = set()
    for details in Act.objects.filter(what=ERASED).values_list("details", flat=True):
        found.update(details.get("acts", ()))
    return found
