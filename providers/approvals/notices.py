"""Tell who can approve that something waits, and who asked what was decided."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.notices import notify
from core.people import person_name
from core.stored_texts import Stored, as_value, declare

from ..models import Approval
from .kinds import kind_of
from .rules import who_may_decide

ASKED: Final = declare("notice.approval_asked", _("%(person)s requests your approval: %(what)s"))
GRANTED: Final = declare("notice.approval_granted", _("%(person)s approved: %(what)s"))
NOT_STARTED: Final = declare(
    "notice.approval_not_started",
    _("%(person)s approved, but it did not start: %(what)s. Open it to see why."),
)
REJECTED: Final = declare(
    "notice.approval_rejected", _("%(person)s rejected: %(what)s. Reason: %(reason)s")
)
LAPSED: Final = declare(
    "notice.approval_lapsed", _("Not approved: %(what)s. %(reason)s Request approval again.")
)


def tell_asked(approval: Approval) -> None:
    text = ASKED.store(person=person_name(approval.asked_by), what=as_value(approval.title))
    url = reverse("admin:approval", args=[approval.public_id])
    for person in who_may_decide(approval):
        notify(person.pk, f"approval:{approval.pk}:asked", text, url)


def tell_granted(approval: Approval, by: User, *, started: bool) -> None:
    text = GRANTED if started else NOT_STARTED
    _tell(approval, text.store(person=person_name(by), what=as_value(approval.title)))


def tell_rejected(approval: Approval, by: User) -> None:
    what, why = as_value(approval.title), approval.comment
    _tell(approval, REJECTED.store(person=person_name(by), what=what, reason=why))


def tell_lapsed(approval: Approval, why: Stored) -> None:
    what = as_value(approval.title)
    _tell(approval, LAPSED.store(what=what, reason=as_value(why)))


def _tell(approval: Approval, text: Stored) -> None:
    url = kind_of(approval.kind).url(approval)
    notify(approval.asked_by_id, f"approval:{approval.pk}:{approval.state}", text, url)
