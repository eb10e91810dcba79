"""Makes the calls of account checks: the provider's profile and balance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core.redaction import storable

from .. import accounts, clock
from ..gateway.client import Client, ReportsBalance, ReportsProfile
from ..gateway.vocabulary import Balance, Profile
from ..models import Account, BalanceReading, Enquiry
from ..states import ENQUIRY_STATES
from .claims import ABANDONED_CALL, ClaimedRows, ClaimedRowSource, ClaimStates
from .due_query import DueAccounts
from .work_source import Job, Lane, Result

TOO_LATE: Final = "too_late"
"""The stored reason of a check that the engine did not make in time."""
EXPIRES_AFTER: Final = timedelta(minutes=2)
"""After this time the result is no longer shown; a newer check replaces it."""


@dataclass(frozen=True, slots=True)
class EnquiryResult:
    balance: Balance | None = None
    profile: Profile | None = None


@dataclass(slots=True)
class EnquiryJob(Job):
    def run(self, client: Client) -> EnquiryResult:
        profile = client.fetch_profile() if isinstance(client, ReportsProfile) else None
        balance = client.fetch_balance() if isinstance(client, ReportsBalance) else None
        return EnquiryResult(balance or (profile.balance if profile else None), profile)


def _open_enquiries() -> QuerySet[Enquiry]:
    """Spelt like the condition of their partial index; SQLite uses the index only then."""
    return Enquiry.objects.filter(state__in=(Enquiry.State.QUEUED, Enquiry.State.CLAIMED))


class EnquirySource(ClaimedRowSource):
    name: ClassVar[str] = "enquiries"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = False
    never_repeated: ClassVar[bool] = False

    def __init__(self) -> None:
        self.enquiries: ClaimedRows[Enquiry] = ClaimedRows(
            EnquiryJob,
            lambda: _open_enquiries().filter(state=Enquiry.State.CLAIMED),
            ClaimStates(ENQUIRY_STATES, queued=Enquiry.State.QUEUED, claimed=Enquiry.State.CLAIMED),
        )
        self.rows = (self.enquiries,)
        self._queued = DueAccounts(lambda _: _open_enquiries().filter(state=Enquiry.State.QUEUED))

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._queued.among(accounts, clock.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
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
        ended: dict[str, Any] = {"ended_at": clock.now(), "claim": None}
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
        if not isinstance(result.value, EnquiryResult):
            raise TypeError("The result of an enquiry must be an EnquiryResult.")
        if not mine.exists():
            # Recorded already, or queued again and asked once more.
            return
        reading = save_reading(result.job.account_id, result.value)
        if ENQUIRY_STATES.move(mine, Enquiry.State.ANSWERED, reading=reading, **ended):
            self._resume_after_check(result.job, result.value)

    def _resume_after_check(self, job: Job, result: EnquiryResult) -> None:
        """Resume a paused account after a successful check that a person requested.

        A pause by hand ends only if that person may resume accounts.
        """
        enquiry = Enquiry.objects.select_related("account", "asked_by").get(pk=job.row_id)
        asked_by = enquiry.asked_by
        disabled = result.profile is not None and result.profile.is_active is False
        if enquiry.kind != Enquiry.Kind.CHECK or asked_by is None or disabled:
            return
        by_hand = enquiry.account.pause_reason == accounts.BY_HAND
        if not by_hand or asked_by.has_perm("providers.resume_account"):
            accounts.resume(enquiry.account, asked_by)

    def tidy(self, now: datetime) -> None:
        """Fail enquiries that have waited too long to be of interest."""
        stale = _open_enquiries().filter(asked_at__lt=now - EXPIRES_AFTER - ABANDONED_CALL)
        ended = {"reason": TOO_LATE, "ended_at": now}
        queued = (Enquiry.State.QUEUED,)
        ENQUIRY_STATES.move(stale, Enquiry.State.FAILED, sources=queued, **ended)


def save_reading(account_id: int, result: EnquiryResult) -> BalanceReading | None:
    """Store the balance as the provider stated it, if it stated one."""
    if result.balance is None:
        return None
    profile = result.profile
    return BalanceReading.objects.create(
        account_id=account_id,
        balance=result.balance.balance,
        frozen=result.balance.frozen,
        available=result.balance.available,
        credit_limit=result.balance.credit_limit,
        billing_type=profile.billing_type if profile else "",
        is_active=profile.is_active if profile else None,
    )
