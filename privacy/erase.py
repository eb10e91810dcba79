"""Ask for the erasure of a number: what refuses it, and the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q.tasks import async_task

from core.acts import record_act
from core.personal_data import held_numbers, places
from core.phones.digests import digest_of, digests_of, subject_of
from core.phones.parse import PhoneError, mask, parse_number
from core.phones.traces import Traces
from core.punctuation import label_text, listed
from core.stored_texts import Stored
from providers import clock

from . import notices
from .models import Erasure
from .states import ERASURE_STATES, OPEN, ErasureState

TASK: Final = "privacy.tasks.erase"
ON_HOLD: Final[Promise] = gettext_lazy(
    "Nothing was erased: a legal hold is set on this number. It must be lifted first."
)
ALREADY: Final[Promise] = gettext_lazy("This number is already being erased.")


class CannotErase(Exception):
    """Nothing was erased. As a string, a sentence for the person."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    title: str
    count: int

    def __str__(self) -> str:
        return label_text(self.title, f"{self.count:,}")


def number_from(typed: str) -> str:
    """The number in E.164. Raises `PhoneError`."""
    return parse_number(typed).e164


def under_way(number: str) -> list[UnderWay]:
    """What must end before the number can be erased."""
    traces = Traces(number)
    counts = ((place, place.open_rows(traces)) for place in places())
    return [UnderWay(str(place.title), count) for place, count in counts if count]


def ask(number: str, reason: Stored, by: User | None, *, takes_off_list: bool = False) -> Erasure:
    """Begin to erase a number (E.164). Raises `CannotErase`."""
    refuse_if_held(number)
    if found := under_way(number):
        raise CannotErase(
            _(
                "Nothing was erased: something with this number is still under way (%(what)s)."
                " Wait until it has ended, or cancel it."
            )
            % {"what": listed(map(str, found))}
        )
    try:
        with transaction.atomic():
            erasure = begin(number, reason, by, takes_off_list=takes_off_list)
    except IntegrityError:
        raise CannotErase(str(ALREADY)) from None
    return erasure


def begin(number: str, reason: Stored, by: User | None, *, takes_off_list: bool = False) -> Erasure:
    """Add the job, in the caller's transaction."""
    erasure = Erasure.objects.create(
        number=number,
        digest=digest_of(number),
        masked=mask(number),
        # The reason is kept, so the number must not be in it.
        reason=Traces(number).replaced(reason, mask(number))[:200],
        takes_off_list=takes_off_list,
        by=by,
    )
    record_act("number.erase", by=by, subject=subject_of(number), erasure=erasure.pk)
    queue_slice()
    return erasure


def queue_slice() -> None:
    async_task(TASK, task_name="privacy: erase", save=False)


def refuse_if_held(number: str) -> None:
    """Raise `CannotErase` if a legal hold keeps the number."""
    if number in held_numbers():
        raise CannotErase(str(ON_HOLD))


def stop(erasure: Erasure, by: User | None) -> bool:
    """End a job that has not finished. What it erased stays erased."""
    rows = Erasure.objects.filter(pk=erasure.pk)
    with transaction.atomic():
        stopped = ERASURE_STATES.move(
            rows, ErasureState.STOPPED, number="", claim="", finished_at=clock.now()
        )
        if stopped:
            record_act("number.erase_stop", by=by, subject=f"erasure:{erasure.pk}")
            notices.tell_stopped(erasure, by)
    return bool(stopped)


def open_erasure(number: str) -> Erasure | None:
    return Erasure.objects.filter(digest__in=digests_of(number), state__in=sorted(OPEN)).first()


__all__ = ["CannotErase", "PhoneError", "ask", "begin", "number_from", "stop", "under_way"]
