"""Notices for whoever started a batch: it has ended, or it has stopped."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.notices import NoticeKind, notify, register_kind
from core.people import person_name
from core.stored_texts import Stored, declare

from ..models import Batch
from .states import BatchState

FINISHED: Final = declare("notice.batch_finished", _("The batch “%(name)s” has finished."))
PAUSED: Final = declare(
    "notice.batch_paused", _("The portal paused the batch “%(name)s”. Open it to see why.")
)
PAUSED_BY: Final = declare("notice.batch_paused_by", _("%(person)s paused the batch “%(name)s”."))
CANCELLED_BY: Final = declare(
    "notice.batch_cancelled_by", _("%(person)s cancelled the rest of the batch “%(name)s”.")
)
BLOCKED: Final = declare(
    "notice.batch_blocked",
    _("The batch “%(name)s” has stopped: the account “%(account)s” is paused. Nothing is lost."),
)

ENDED_KIND: Final = "batch_ended"
STOPPED_KIND: Final = "batch_stopped"


def register() -> None:
    register_kind(NoticeKind(ENDED_KIND, _("A batch that I started has finished")))
    register_kind(NoticeKind(STOPPED_KIND, _("A batch that I started has stopped or was paused")))


def tell_finished(batch: Batch) -> None:
    _tell(batch, "finished", FINISHED.store(name=batch.title), kind=ENDED_KIND)


def tell_paused(batch: Batch) -> None:
    """The portal paused it, or did not start it at its time."""
    _tell(batch, f"paused-{_moment(batch)}", PAUSED.store(name=batch.title))


def tell_paused_by(batch: Batch, by: User) -> None:
    text = PAUSED_BY.store(name=batch.title, person=person_name(by))
    _tell(batch, f"paused-{_moment(batch)}", text, by)


def tell_cancelled_by(batch: Batch, by: User | None) -> None:
    if by is not None:
        text = CANCELLED_BY.store(name=batch.title, person=person_name(by))
        _tell(batch, "cancelled", text, by)


def tell_blocked() -> None:
    """Batches that stand still because their account is paused."""
    rows = Batch.objects.filter(state=BatchState.SENDING, account__paused_at__isnull=False)
    for batch in rows.select_related("account"):
        since = batch.account.paused_at
        if since is not None:
            text = BLOCKED.store(name=batch.title, account=batch.account.name)
            _tell(batch, f"blocked-{since.timestamp():.6f}", text)


def _moment(batch: Batch) -> str:
    """Tells one pause from the next."""
    at = Batch.objects.filter(pk=batch.pk).values_list("paused_at", flat=True).first()
    return f"{at.timestamp():.6f}" if at else ""


def _tell(
    batch: Batch, event: str, text: Stored, by: User | None = None, *, kind: str = STOPPED_KIND
) -> None:
    """Tell whoever started the batch, unless they did it themselves."""
    started_by = batch.answerable_id
    if started_by is not None and (by is None or by.pk != started_by):
        url = reverse("admin:messaging_batch_change", args=[batch.public_id])
        notify(started_by, f"batch:{batch.pk}:{event}", text, url, kind=kind)
