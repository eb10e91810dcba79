"""Checks of codes as what a hold ends.

A check that waits is worth nothing a minute later. So nobody decides about it: its outcome is
unknown at once, and staff check again while the customer waits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.stored_texts import declare
from providers import clock
from providers.hold.holdable import FROM_BEFORE, HeldGroup, Holdable, held_accounts
from providers.models import Account, Hold

from .models import Attempt, Session
from .states import ATTEMPT_STATES, SESSION_STATES, AttemptState, SessionState

A = AttemptState

TITLE: Final = declare("held.checks", gettext_lazy("Checks of codes"))


class ChecksOnHold(Holdable):
    name: ClassVar[str] = "checks"

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

    def groups(self, hold: Hold) -> list[HeldGroup]:
        pks = _ended_by(hold).order_by().values_list("account", flat=True).distinct()
        accounts = Account.objects.filter(pk__in=list(pks)).order_by("name", "pk")
        return [_group(hold, account) for account in accounts]

    def count_undecided(self, hold: Hold) -> int:
        return 0

    def settle_known(self, hold: Hold) -> int:
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return 0

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return 0


def _ended_by(hold: Hold) -> QuerySet[Attempt]:
    ended = Attempt.objects.filter(reason=FROM_BEFORE, ended_at__gte=hold.started_at)
    return ended.filter(ended_at__lte=hold.ended_at) if hold.ended_at else ended


def _group(hold: Hold, account: Account) -> HeldGroup:
    ended = _ended_by(hold).filter(account=account)
    count = ended.count()
    times = ended.order_by("created_at").values_list("created_at", flat=True)
    text = _("Ended as unknown: %(count)s. If the customer waits, check the code again.")
    return HeldGroup(
        key=f"{ChecksOnHold.name}:{account.pk}",
        icon="rule",
        stored_title=TITLE.store(),
        account=account.name,
        undecided=0,
        oldest=times.first(),
        newest=times.last(),
        facts=[text % {"count": f"{count:,}"}],
        may_send=False,
        url=reverse("admin:otp_session_changelist"),
    )
