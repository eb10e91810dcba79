"""Tell whoever asked for an erasure how it ended."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.notices import notify
from core.people import person_name
from core.stored_texts import Stored, declare

from .models import Erasure

DONE: Final = declare(
    "notice.erasure_done",
    _("The number %(number)s was erased. A search of all tables found nothing of it."),
)
HELD: Final = declare(
    "notice.erasure_held",
    _("The number %(number)s is not erased any further: a legal hold was set on it."),
)
STOPPED: Final = declare(
    "notice.erasure_stopped",
    _("%(person)s stopped the erasure of the number %(number)s. What was erased stays erased."),
)
FAILED: Final = declare(
    "notice.erasure_failed",
    _(
        "Erasing the number %(number)s has failed for now. The portal tries again every minute. If"
        " it does not end, ask your administrator to look into the log."
    ),
)


def tell_done(erasure: Erasure) -> None:
    _tell(erasure, "done", DONE.store(number=erasure.masked))


def tell_held(erasure: Erasure) -> None:
    _tell(erasure, "held", HELD.store(number=erasure.masked))


def tell_stopped(erasure: Erasure, by: User | None) -> None:
    """Unless they stopped it themselves."""
    if by is None or by.pk != erasure.by_id:
        text = STOPPED.store(person=person_name(by), number=erasure.masked)
        _tell(erasure, "stopped", text)


def tell_failed(erasure: Erasure) -> None:
    """Once, however often it is tried again."""
    _tell(erasure, "failed", FAILED.store(number=erasure.masked))


def _tell(erasure: Erasure, event: str, text: Stored) -> None:
    if erasure.by_id is not None:
        url = reverse("admin:privacy_erasure", args=[erasure.public_id])
        notify(erasure.by_id, f"erasure:{erasure.pk}:{event}", text, url)
