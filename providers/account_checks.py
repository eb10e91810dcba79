"""Harmless questions to a provider: does the login work, how much money is there.

Asked by staff or by a schedule, answered by the engine; no web process asks by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.pruning import delete_in_chunks
from core.redaction import storable

from . import accounts
from .engine.claims import ABANDONED_CALL, ClaimedRows, ClaimedRowSource, ClaimStates
from .engine.due_query import DueAccounts
from .engine.wake import wake_engine
from .engine.work_source import Job, Lane, Result
from .gateway.client import Client, ReportsBalance, ReportsProfile
from .gateway.vocabulary import Balance, Profile
from .models import Account, BalanceReading, Enquiry
from .states import ENQUIRY_STATES

NOTHING_TO_CHECK = "nothing_to_check"
"""The provider offers nothing that could be asked without sending."""
TOO_LATE = "too_late"
STALE = timedelta(minutes=2)
"""Nobody looks at the answer any more; a newer question takes its place."""


def can_be_asked(client: type[Client] | None) -> bool:
    return client is not None and issubclass(client, ReportsBalance | ReportsProfile)


def ask(account: Account, kind: Enquiry.Kind, by: User | None = None) -> Enquiry:
    """Put the question. One that is still waiting is not put twice."""
    if not can_be_asked(account.client):
        now = timezone.now()
        return Enquiry.objects.create(
            account=account,
            kind=kind,
            asked_by=by,
            state=Enquiry.State.ANSWERED,
            ended_at=now,
            reason=NOTHING_TO_CHECK,
        )
    with transaction.atomic():
        waiting = Enquiry.objects.filter(
            account=account, kind=kind, state__in=(Enquiry.State.QUEUED, Enquiry.State.CLAIMED)
        ).first()
        enquiry = waiting or Enquiry.objects.create(account=account, kind=kind, asked_by=by)
        wake_engine()
    return enquiry


@dataclass(frozen=True, slots=True)
class Answered:
    balance: Balance | None = None
    profile: Profile | None = None


@dataclass(slots=True)
class EnquiryJob(Job):
    def run(self, client: Client) -> Answered:
        profile = client.fetch_profile() if isinstance(client, ReportsProfile) else None
        balance = client.fetch_balance() if isinstance(client, ReportsBalance) else None
        return Answered(balance or (profile.balance if profile else None), profile)


def _open_ones() -> QuerySet[Enquiry]:
    """Said as their partial index has it, for SQLite to see that it will do."""
    return Enquiry.objects.filter(state__in=(Enquiry.State.QUEUED, Enquiry.State.CLAIMED))


class EnquirySource(ClaimedRowSource):
    name: ClassVar[str] = "enquiries"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = False

    def __init__(self) -> None:
        self.enquiries: ClaimedRows[Enquiry] = ClaimedRows(
            EnquiryJob,
            lambda: _open_ones().filter(state=Enquiry.State.CLAIMED),
            ClaimStates(ENQUIRY_STATES, queued=Enquiry.State.QUEUED, claimed=Enquiry.State.CLAIMED),
        )
        self.rows = (self.enquiries,)
        self._queued = DueAccounts(lambda _: _open_ones().filter(state=Enquiry.State.QUEUED))

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._queued.among(accounts, timezone.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = timezone.now()
        due = Enquiry.objects.filter(account=account, state=Enquiry.State.QUEUED).order_by("pk")
        return [
            EnquiryJob(account.pk, f"enquiry:{row.pk}", row.pk, now)
            for row in self.enquiries.claim(due[:limit], claim, now)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        for result in results:
            with transaction.atomic():
                self._record_one(result, claim)

    def _record_one(self, result: Result, claim: UUID) -> None:
        ended: dict[str, Any] = {"ended_at": timezone.now(), "claim": None}
        mine = self.enquiries.held(result.job, claim)
        if result.error is not None:
            ENQUIRY_STATES.move(
                mine,
                Enquiry.State.FAILED,
                sources=(Enquiry.State.CLAIMED,),
                reason=result.error.reason,
                words=storable(result.error.words),
                **ended,
            )
            return
        if not isinstance(result.value, Answered):
            raise TypeError("An enquiry answers with Answered.")
        reading = keep_reading(result.job.account_id, result.value)
        if ENQUIRY_STATES.move(mine, Enquiry.State.ANSWERED, reading=reading, **ended):
            self._resume_after_check(result.job, result.value)

    def _resume_after_check(self, job: Job, answered: Answered) -> None:
        """A check that somebody asked for, and that went well, ends a pause."""
        enquiry = Enquiry.objects.select_related("account", "asked_by").get(pk=job.row_id)
        asked_by = enquiry.asked_by
        disabled = answered.profile is not None and answered.profile.is_active is False
        if enquiry.kind != Enquiry.Kind.CHECK or asked_by is None or disabled:
            return
        by_hand = enquiry.account.pause_reason == accounts.BY_HAND
        if not by_hand or asked_by.has_perm("providers.resume_account"):
            accounts.resume(enquiry.account)

    def tidy(self, now: datetime) -> None:
        """Close a question that nobody waits for any more."""
        stale = _open_ones().filter(asked_at__lt=now - STALE - ABANDONED_CALL)
        ended = {"reason": TOO_LATE, "ended_at": now}
        queued = (Enquiry.State.QUEUED,)
        ENQUIRY_STATES.move(stale, Enquiry.State.FAILED, sources=queued, **ended)


def keep_reading(account_id: int, answered: Answered) -> BalanceReading | None:
    if answered.balance is None:
        return None
    profile = answered.profile
    return BalanceReading.objects.create(
        account_id=account_id,
        balance=answered.balance.balance,
        frozen=answered.balance.frozen,
        available=answered.balance.available,
        credit_limit=answered.balance.credit_limit,
        billing_type=profile.billing_type if profile else "",
        is_active=profile.is_active if profile else None,
    )


KEPT_FOR: Final = timedelta(days=30)
"""Answered questions; the readings that came of them are kept for longer."""


def prune() -> int:
    """Delete questions and balance readings that are past their time."""
    now = timezone.now()
    oldest = now - timedelta(days=settings.BALANCE_READING_DAYS)
    questions = delete_in_chunks(Enquiry.objects.filter(ended_at__lt=now - KEPT_FOR))
    return questions + delete_in_chunks(BalanceReading.objects.filter(read_at__lt=oldest))


def latest_reading(account: Account) -> BalanceReading | None:
    return account.readings.order_by("-read_at").first()


def read_all_balances() -> int:
    """Ask every account that can be asked; the schedule's duty."""
    asked = 0
    for account in Account.objects.all():
        if can_be_asked(account.client):
            ask(account, Enquiry.Kind.BALANCE)
            asked += 1
    return asked
