"""Asking for single orders, one call each, and for the texts whose code is here already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from providers.engine.due import DueAccounts, Moment
from providers.engine.sources import Job, Lane, Result, WorkSource
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import Reason, Rental
from providers.models import Account

from . import answers, quiet
from .failed_looks import failed_look
from .models import Order, Watch

LOST: Final = timedelta(seconds=120)


@dataclass(slots=True)
class LookJob(Job):
    order_id: int
    provider_id: str
    asked_at: datetime | None = None

    def run(self, client: Client) -> Rental:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        return client.fetch_order(self.provider_id)


class LookingSource(WorkSource):
    """Asks for single orders. `_wanted` says which."""

    paid: ClassVar[bool] = False
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self._due_accounts = DueAccounts(self._due)

    def _wanted(self) -> Q:
        raise NotImplementedError

    def _due(self, now: datetime | Moment, *, quiet_too: bool = False) -> QuerySet[Order]:
        due = Order.objects.filter(self._wanted(), next_poll_at__lte=now, poll_claim=None)
        return due if quiet_too else due.exclude(account__in=quiet.quiet_ones(now))

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, timezone.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        return self._claim_looks(account, limit, claim)

    def _claim_looks(
        self, account: Account, limit: int, claim: UUID, *, probing: bool = False
    ) -> list[Job]:
        now = timezone.now()
        jobs: list[Job] = []
        due = self._due(now, quiet_too=probing).filter(account=account)
        due = due.order_by("next_poll_at", "pk")
        for pk, provider_id in due.values_list("pk", "provider_id")[: 1 if probing else limit]:
            free = Order.objects.filter(pk=pk, poll_claim=None)
            if free.update(poll_claim=claim, poll_claimed_at=now):
                jobs.append(LookJob(account.pk, f"order:{pk}", pk, provider_id))
        return jobs

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        # A question is free: asking it twice harms nobody, so there is no second mark.
        now = timezone.now()
        going = [job for job in jobs if held(job, claim).update(poll_claimed_at=now)]
        for job in going:
            _own(job).asked_at = now
        return going

    def give_back(self, jobs: Sequence[Job], claim: UUID) -> None:
        for job in jobs:
            held(job, claim).update(poll_claim=None, poll_claimed_at=None)

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = timezone.now()
        for result in results:
            self._record_one(result, now)

    def _record_one(self, result: Result, now: datetime) -> None:
        job = _own(result.job)
        if result.error is not None:
            quiet.note_trouble(job.account_id, result.error, now)
            failed_look(job.order_id, result.error, now)
        elif isinstance(result.value, Rental):
            quiet.end_quiet(job.account_id)
            answers.take_in(job.order_id, result.value, now, whole=True, asked_at=job.asked_at)
        else:
            raise TypeError("Asking for an order answers with a Rental.")

    def sweep(self) -> None:
        """A question may be put again; its loop is gone."""
        lost = Order.objects.filter(poll_claimed_at__lt=timezone.now() - LOST)
        lost.update(poll_claim=None, poll_claimed_at=None)


class ContentSource(LookingSource):
    """The whole text of SMS whose code the list told already. Nobody waits for it."""

    name: ClassVar[str] = "contents"
    lane: ClassVar[Lane] = Lane.BULK

    def _wanted(self) -> Q:
        return Q(state__in=answers.WITH_SMS)

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        by_list = Watch.objects.filter(account=account, by_list=True)
        if not by_list.exists():
            return self._claim_looks(account, limit, claim)
        # What is left of the limit until the next round, one at a time: whatever staff want
        # meanwhile does not queue behind it.
        if not by_list.filter(spare__gt=0).update(spare=F("spare") - 1):
            return []
        return self._claim_looks(account, 1, claim)


def _own(job: Job) -> LookJob:
    if not isinstance(job, LookJob):
        raise TypeError("This source only takes its own jobs.")
    return job


def held(job: Job, claim: UUID) -> QuerySet[Order]:
    return Order.objects.filter(pk=_own(job).order_id, poll_claim=claim)
