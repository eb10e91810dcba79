"""Erase numbers, in slices that a task of the queue ends within 20 s.

1. A slice takes the erasure whose turn it is, with one UPDATE.
2. It looks at one chunk of rows after another. What it erases of a chunk, and how far the job is
   with it, are one transaction: a killed slice leaves nothing out.
3. After the last table it searches all of them again. Only if it finds nothing is the job done. If
   it finds something, which came in meanwhile, it erases once more.
4. What is under way is left, and the job looks again after some minutes.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django_q.brokers import get_broker

from core.acts import record_act
from core.personal_data import Place, held_numbers, places
from core.phones.erased import stand_in
from core.phones.traces import Traces
from providers import clock

from . import notices, remembered
from .models import ErasedNumber, Erasure
from .states import ERASURE_STATES, OPEN, ErasureState

logger = logging.getLogger(__name__)

SLICE_SECONDS: Final = 12.0
"""No chunk is begun after this."""
CLAIMED_FOR: Final = timedelta(seconds=120)
"""The queue ends a task after 90 s."""
ROUNDS_AT_ONCE: Final = 5
"""Rounds after which the job waits, if rows with the number keep coming in."""
LOOK_AGAIN_AFTER: Final = timedelta(minutes=10)


def run_slice(seconds: float = SLICE_SECONDS, *, only: int | None = None) -> bool:
    """Work on one erasure for some seconds. Returns whether there is more to do now."""
    erasure = _claim(only)
    if erasure is None:
        return False
    try:
        _Slice(erasure).run(seconds)
    except Exception:
        logger.exception("A slice of %s failed", erasure)
        notices.tell_failed(erasure)
        _own(erasure).update(next_at=clock.now() + timedelta(minutes=1))
        if only is not None:
            raise
    finally:
        _own(erasure).update(claim="", busy_until=None)
    return runnable(only).exists()


def runnable(only: int | None = None) -> QuerySet[Erasure]:
    now = clock.now()
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    found = Erasure.objects.filter(free, state__in=sorted(OPEN), next_at__lte=now)
    return (found if only is None else found.filter(pk=only)).order_by("next_at", "pk")


def _claim(only: int | None) -> Erasure | None:
    for key in runnable(only).values_list("pk", flat=True)[:10]:
        claim = secrets.token_hex(16)
        marks: dict[str, Any] = {"claim": claim, "busy_until": clock.now() + CLAIMED_FOR}
        free = runnable(only).filter(pk=key).order_by()
        if ERASURE_STATES.move(free, ErasureState.RUNNING, **marks):
            return Erasure.objects.get(pk=key)
    return None


def _own(erasure: Erasure) -> QuerySet[Erasure]:
    """The erasure, as long as this slice has it."""
    return Erasure.objects.filter(pk=erasure.pk, claim=erasure.claim)


class _Slice:
    def __init__(self, erasure: Erasure) -> None:
        self._erasure = erasure
        number = str(erasure.number.reveal())
        self._number = number
        self._traces = Traces(number)
        self._stand_in = stand_in(erasure.pk)

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._step():
            if time.monotonic() >= until or get_broker().queue_size():
                ERASURE_STATES.move(_own(self._erasure), ErasureState.WAITING)
                return

    def _step(self) -> bool:
        """Look at one chunk. Returns whether the job goes on."""
        place = self._place()
        if place is None:
            return self._stop() if self._is_held() else self._end_of_round()
        erasure = self._erasure
        after = erasure.reached or None
        after = place.model._meta.pk.to_python(after) if after else None
        # Outside the transaction: on SQLite, reading must not keep the engine from writing.
        chunk = place.look(self._traces, after, on_purpose=erasure.takes_off_list)
        known = erasure.found
        if not erasure.place:
            known = _without(known, "again" if erasure.is_search else "left")
        counts = dict(known.get(place.key, {}))
        if place.on_purpose and not erasure.takes_off_list:
            counts["kept"] = place.about(self._traces).count()
        position = {"place": place.key, "reached": str(chunk.last or "")}
        if chunk.last is None:
            position["place"] = _key_after(place)
        with transaction.atomic():
            # Before each chunk: a legal hold that is set meanwhile keeps what is left.
            if self._is_held():
                return self._stop()
            if erasure.is_search:
                counts["again"] = counts.get("again", 0) + len(chunk.hits)
            elif chunk.hits:
                done = place.erase(
                    chunk.hits, self._traces, self._stand_in, on_purpose=erasure.takes_off_list
                )
                counts["erased"] = counts.get("erased", 0) + done.changed
                counts["left"] = counts.get("left", 0) + done.left
            found = {**known, place.key: counts} if any(counts.values()) else known
            return self._save(found=found, **position)

    def _place(self) -> Place | None:
        """The table that the job is at. None behind the last one."""
        if not self._erasure.place:
            return places()[0]
        return next((one for one in places() if one.key == self._erasure.place), None)

    def _is_held(self) -> bool:
        return self._number in held_numbers()

    def _stop(self) -> bool:
        end: dict[str, Any] = {"number": "", "finished_at": clock.now()}
        if ERASURE_STATES.move(_own(self._erasure), ErasureState.STOPPED, **end):
            notices.tell_held(self._erasure)
        return False

    def _end_of_round(self) -> bool:
        found = self._erasure.found
        if any(one.get("left") for one in found.values()):
            return self._wait()
        if not self._erasure.is_search:
            return self._save(is_search=True, place="", reached="")
        if any(one.get("again") for one in found.values()):
            if self._erasure.round % ROUNDS_AT_ONCE == 0:
                return self._wait()
            return self._save(is_search=False, place="", reached="", round=F("round") + 1)
        self._finish()
        return False

    def _wait(self) -> bool:
        """Something is under way: begin once more, later."""
        again: dict[str, Any] = {
            "place": "",
            "reached": "",
            "is_search": False,
            "round": F("round") + 1,
        }
        ERASURE_STATES.move(
            _own(self._erasure),
            ErasureState.UNDER_WAY,
            next_at=clock.now() + LOOK_AGAIN_AFTER,
            **again,
        )
        return False

    def _finish(self) -> None:
        erasure = self._erasure
        digest = erasure.digest
        with transaction.atomic():
            end: dict[str, Any] = {"number": "", "finished_at": clock.now()}
            if not ERASURE_STATES.move(_own(erasure), ErasureState.DONE, **end):
                return
            ErasedNumber.objects.get_or_create(digest=digest)
            rows = sum(one.get("erased", 0) for one in erasure.found.values())
            record_act("number.erased", by=erasure.by, subject=f"erasure:{erasure.pk}", rows=rows)
            notices.tell_done(erasure)
        remembered.write([digest])

    def _save(self, **values: Any) -> bool:
        """Keep how far the job is. False if it is no longer ours."""
        marks = {"busy_until": clock.now() + CLAIMED_FOR}
        own = _own(self._erasure).filter(state=ErasureState.RUNNING)
        if not own.update(**values, **marks):
            return False
        self._erasure.refresh_from_db()
        return True


BEHIND_LAST: Final = "-"


def _key_after(place: Place) -> str:
    keys = [one.key for one in places()]
    following = keys[keys.index(place.key) + 1 :]
    return following[0] if following else BEHIND_LAST


def _without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: {k: v for k, v in one.items() if k != name} for key, one in found.items()}
