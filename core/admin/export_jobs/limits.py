"""How much a person may ask for, and how long it is kept."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.models import ExportJob

State = ExportJob.State
OPEN: Final = (State.WAITING, State.RUNNING)

KEPT_FOR: Final = timedelta(days=7)
LISTED_FOR: Final = timedelta(days=30)
"""How long the page shows that there was a file."""
MOST_OPEN: Final = 5
MOST_FILES: Final = 20
MOST_BYTES: Final = 1024**3
"""Of all files of a person, as they are stored."""


class Reason(StrEnum):
    """Why a job was stopped."""

    RIGHTS = "rights"
    SPACE = "space"
    ERROR = "error"
    LIST = "list"


class AskRefused(Exception):
    """The job was not accepted. As a string, a sentence for the person."""

    def __init__(self, text: Promise, **values: object) -> None:
        super().__init__()
        self._text, self._values = text, values

    def __str__(self) -> str:
        return str(self._text) % self._values


TOO_MANY_OPEN: Final = _(
    "No export was added: you already have %(most)s that are not finished. Wait for one of them, or"
    " cancel it."
)
TOO_MANY_FILES: Final = _(
    "No export was added: the portal keeps at most %(most)s files for you. Delete one first."
)
NO_SPACE: Final = _(
    "No export was added: your files take up all the space that the portal keeps for you. Delete"
    " one first."
)


def jobs_of(person: User) -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(by=person)


def check_room(person: User) -> None:
    """Raise `AskRefused` if this person has too much already. Call it in a transaction."""
    # One at a time, or many at once would pass together.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    own = jobs_of(person)
    still_open = own.filter(state__in=OPEN).count()
    if still_open >= MOST_OPEN:
        raise AskRefused(TOO_MANY_OPEN, most=MOST_OPEN)
    if own.filter(state=State.READY).count() + still_open >= MOST_FILES:
        raise AskRefused(TOO_MANY_FILES, most=MOST_FILES)
    if bytes_of(person.pk) >= MOST_BYTES:
        raise AskRefused(NO_SPACE)


def bytes_of(person_id: int) -> int:
    total = ExportJob.objects.filter(by=person_id).aggregate(total=Sum("stored"))["total"]
    return int(total or 0)
