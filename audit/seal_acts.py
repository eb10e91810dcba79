"""Seal the acts that have no seal yet.

Acts are not sealed when they are recorded: then each act would have to wait for the one before. A
transaction that ends late commits an act with an old id and an old time. So a seal covers the acts
that have none, whatever their ids and times are.
"""

from __future__ import annotations

import logging
from typing import Final

from django.db import IntegrityError, transaction

from core.acts import personal_row
from core.models import Act
from core.phones.digests import SUBJECT_LENGTH
from providers import clock

from . import addresses, anchors, digests
from .models import Seal

logger = logging.getLogger(__name__)

MOST: Final = 5_000
"""Acts of one seal."""
MOST_SEALS: Final = 1_000
"""Seals that one call makes, so that it ends even while acts keep coming."""
CHUNK: Final = 1_000
FORMERLY_PERSONAL: Final = ("address", "filters")
"""What earlier versions kept among the details."""


class SealedMeanwhile(Exception):
    """Another process has sealed some of these acts."""


def seal_waiting() -> Seal | None:
    """Seal the oldest acts that wait. None if none waits, or another process seals just now."""
    try:
        with transaction.atomic():
            seal = _seal_waiting()
    except (IntegrityError, SealedMeanwhile):
        return None
    if seal is not None:
        anchors.remember(seal)
        logger.info(
            "Seal %s covers acts: %s, up to %s. Its hash is %s.",
            seal.number,
            seal.count,
            seal.last,
            seal.hash,
        )
    return seal


def seal_all() -> int:
    """Seal everything that waits. Returns how many seals that took."""
    made = 0
    while made < MOST_SEALS and seal_waiting() is not None:
        made += 1
    return made


def _seal_waiting() -> Seal | None:
    acts = list(Act.objects.filter(seal=None).order_by("pk")[:MOST])
    if not acts:
        return None
    before = Seal.objects.order_by("-number").first()
    number = before.number + 1 if before else 1
    folded = [act for act in acts if _fold(act)]
    lost = anchors.missing_anchor()
    seal = Seal(
        number=number,
        at=clock.now(),
        count=len(acts),
        first=acts[0].pk,
        last=acts[-1].pk,
        digest=digests.digest_of_acts(
            tuple(getattr(act, name) for name in digests.COLUMNS) for act in acts
        ),
        previous=before.hash if before else "",
        lost={"number": lost.number, "hash": lost.hash} if lost else None,
    )
    digests.sign(seal)
    # First, since the key lets only one process make this seal.
    seal.save(force_insert=True)
    _note_seal(acts, folded, number)
    return seal


def _fold(act: Act) -> bool:
    """Move what an earlier version wrote into the act to personal rows. Returns whether it did."""
    words = {name: act.details[name] for name in FORMERLY_PERSONAL if act.details.get(name)}
    address = str(words.pop("address", ""))
    if act.reason:
        words["reason"] = act.reason
    token = act.subject.partition(":")[2]
    # Keyed hashes are shorter than the tokens of earlier versions, and lead to no number.
    if act.subject == f"number:{token}" and len(token) > SUBJECT_LENGTH:
        words["number"] = token
    if not (words or address) or act.personal_digest:
        return False
    act.details = {
        name: value for name, value in act.details.items() if name not in FORMERLY_PERSONAL
    }
    act.reason = ""
    act.subject = "" if "number" in words else act.subject
    if words:
        personal_row(act, words).save(force_insert=True)
    if address:
        addresses.row_of(act, address).save(force_insert=True)
    return True


def _note_seal(acts: list[Act], folded: list[Act], number: int) -> None:
    waiting = Act.objects.filter(seal=None)
    noted = 0
    for act in folded:
        noted += waiting.filter(pk=act.pk).update(
            seal=number,
            subject=act.subject,
            reason=act.reason,
            details=act.details,
            personal_digest=act.personal_digest,
        )
    done = {act.pk for act in folded}
    rest = [act.pk for act in acts if act.pk not in done]
    for start in range(0, len(rest), CHUNK):
        noted += waiting.filter(pk__in=rest[start : start + CHUNK]).update(seal=number)
    if noted != len(acts):
        raise SealedMeanwhile
