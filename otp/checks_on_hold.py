"""Checks of codes as what a hold ends.

A check that waits is worth nothing a minute later. So staff do not decide about it: its outcome is
unknown at once, and staff check again while the customer waits.
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.stored_texts import declare
from providers import clock
from providers.hold.ended_at_once import EndedAtOnce
from providers.hold.holdable import FROM_BEFORE, HeldGroup, held_accounts
from providers.models import Account, Hold

from .models import Attempt, Session
from .states import ATTEMPT_STATES, SESSION_STATES, AttemptState, SessionState

A = AttemptState

TITLE: Final = declare("held.checks", gettext_lazy("Checks of codes"))


class ChecksOnHold(EndedAtOnce):
    name: ClassVar[str] = "checks"
    model = Attempt
    queued_at: ClassVar[str] = "created_at"
    ended_at: ClassVar[str] = "ended_at"

    def hold(self, hold: Hold) -> int:
        waiting = (A.QUEUED, A.CLAIMED)
        rows = Attempt.objects.filter(account__in=held_accounts(), state__in=waiting)
        pks = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
        ended = Attempt.objects.filter(pk__in=pks)
        moved = ATTEMPT_STATES.move(
            ended,
            A.UNKNOWN,
            sources=waiting,
            reason=FROM_BEFORE,
            claim=None,
            code="",
            ended_at=clock.now(),
        )
        sessions = Session.objects.filter(pk__in=ended.values("session"))
        SESSION_STATES.move(sessions, SessionState.CHECK_UNKNOWN)
        return moved

    def group(self, account: Account, ended: QuerySet[Attempt]) -> HeldGroup:
        oldest, newest = self.oldest_and_newest(ended)
        text = _("Ended as unknown: %(count)s. If the customer waits, check the code again.")
        return HeldGroup(
            key=f"{self.name}:{account.pk}",
            icon="rule",
            stored_title=TITLE.store(),
            account=account.name,
            undecided=0,
            oldest=oldest,
            newest=newest,
            facts=[text % {"count": f"{ended.count():,}"}],
            may_send=False,
            url=reverse("admin:otp_session_changelist"),
        )
