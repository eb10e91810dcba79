"""Search all texts of a restored backup for numbers that were erased, in slices of a task.

Of an erased number only a keyed hash is left. So every number that a text may mean is hashed and
compared.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from core.personal_data import Place, places
from core.phones.candidates import Written, meanings, written_numbers
from core.phones.digests import digests_of, matching
from core.stored_texts import declare
from providers import clock

from . import erase
from .models import Erasure, RestoredSearch

TASK: Final = "privacy.tasks.search_restored"
SLICE_SECONDS: Final = 12.0
RESTORED: Final = declare(
    "privacy.restored",
    _("The number had been erased before, and a restored backup brought it back"),
)


def begin_search(digests: set[str]) -> None:
    """Have all texts searched for numbers with these hashes."""
    if digests:
        RestoredSearch.objects.create(digests=sorted(digests))
        queue_slice()


def queue_slice() -> None:
    async_task(TASK, task_name="privacy: search", save=False)


def waiting() -> QuerySet[RestoredSearch]:
    return RestoredSearch.objects.filter(ended_at=None).order_by("pk")


def run_slice(seconds: float = SLICE_SECONDS) -> bool:
    """Search for some seconds. Returns whether there is more to search."""
    search = waiting().first()
    if search is None:
        return False
    until = time.monotonic() + seconds
    seen: set[Written] = set()
    while _step(search, seen):
        if time.monotonic() >= until:
            return True
    return waiting().exists()


def erase_found(number: str) -> bool:
    """Begin to erase the number again. What is under way is left until it has ended."""
    if Erasure.objects.filter(digest__in=digests_of(number), finished_at=None).exists():
        return False
    try:
        with transaction.atomic():
            erase.begin(number, RESTORED.store(), None)
    except IntegrityError:
        return False
    return True


def _step(search: RestoredSearch, seen: set[Written]) -> bool:
    """Search some rows. Returns whether the search goes on. `seen` was compared before."""
    place, after = _position(search)
    if place is None:
        return _save(search, ended_at=clock.now()) and False
    texts, last = place.read_texts(after)
    written = {one for text in texts for one in written_numbers(text)} - seen
    seen |= written
    found = matching((one for each in written for one in meanings(each)), search.digests)
    for number in found:
        # A legal hold that was set meanwhile stops it, and its end begins it again.
        erase_found(number)
    following = place.key if last is not None else _key_after(place)
    return _save(search, place=following, reached="" if last is None else str(last))


BEHIND_LAST: Final = "-"


def _searched() -> list[Place]:
    """Where a number may stand in a text. Entries of the do-not-send list stay on purpose."""
    return [place for place in places() if place.searched]


def _position(search: RestoredSearch) -> tuple[Place | None, Any]:
    known = _searched()
    if not search.place:
        return known[0], None
    place = next((one for one in known if one.key == search.place), None)
    if place is None or not search.reached:
        return place, None
    return place, place.model._meta.pk.to_python(search.reached)


def _key_after(place: Place) -> str:
    keys = [one.key for one in _searched()]
    following = keys[keys.index(place.key) + 1 :]
    return following[0] if following else BEHIND_LAST


def _save(search: RestoredSearch, **values: Any) -> bool:
    """Keep how far it is. False if another slice works on it, too."""
    own = waiting().filter(pk=search.pk, place=search.place, reached=search.reached)
    if not own.order_by().update(**values):
        return False
    search.refresh_from_db()
    return True
