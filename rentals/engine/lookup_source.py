"""Work sources that look orders up one by one, and fetch texts whose code has arrived."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import F, Q, QuerySet

from providers import clock
from providers.engine.claims import ClaimedRows, ClaimedRowSource, Columns
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import Reason, Rental
from providers.models import Account

from .. import apply_order_state
from ..models import Order, Watch
from . import auth_backoff
from .lookup_errors import apply_lookup_error


@dataclass(slots=True)
class LookupJob(Job):
    provider_id: str

    def run(self, client: Client) -> Rental:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        return client.fetch_order(self.provider_id)


class LookupSource(ClaimedRowSource):
    """Looks up single orders. `_condition` selects them."""

    paid: ClassVar[bool] = False
    never_repeated: ClassVar[bool] = False
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self.lookups: ClaimedRows[Order] = ClaimedRows(
            LookupJob,
            Order.objects.all,
            columns=Columns(claim="poll_claim", claimed_at="poll_claimed_at"),
        )
        self.rows: tuple[ClaimedRows[Any], ...] = (self.lookups,)
        self._due_accounts = DueAccounts(self._due)

    def _condition(self) -> Q:
        raise NotImplementedError

    def _due(self, now: datetime | Moment, *, include_backoff: bool = False) -> QuerySet[Order]:
        due = Order.objects.filter(self._condition(), next_poll_at__lte=now, poll_claim=None)
        return (
            due
            if include_backoff
            else due.exclude(account__in=auth_backoff.accounts_backing_off(now))
        )

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, clock.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        return self._claim_lookups(account, limit, claim)

    def _claim_lookups(
        self, account: Account, limit: int, claim: UUID, *, probing: bool = False
    ) -> list[Job]:
        now = clock.now()
        due = self._due(now, include_backoff=probing).filter(account=account)
        due = due.order_by("next_poll_at", "pk").only("provider_id")
        return [
            LookupJob(account.pk, f"order:{row.pk}", row.pk, now, row.provider_id)
            for row in self.lookups.claim(due[: 1 if probing else limit], claim, now)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = clock.now()
        for result in results:
            self._record_one(result, now)

    def _record_one(self, result: Result, now: datetime) -> None:
        job = result.job
        if result.error is not None:
            auth_backoff.note_error(job.account_id, result.error, now)
            apply_lookup_error(job.row_id, result.error, now)
        elif isinstance(result.value, Rental):
            auth_backoff.end_backoff(job.account_id)
            apply_order_state.apply(
                job.row_id, result.value, now, from_lookup=True, asked_at=job.marked_at
            )
        else:
            raise TypeError("Asking for an order answers with a Rental.")


class ContentSource(LookupSource):
    """Fetches whole texts of SMS whose code the list has stated. No one waits for them."""

    name: ClassVar[str] = "contents"
    lane: ClassVar[Lane] = Lane.BULK

    def _condition(self) -> Q:
        return Q(state__in=apply_order_state.WITH_SMS)

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        by_list = Watch.objects.filter(account=account, by_list=True)
        if not by_list.exists():
            return self._claim_lookups(account, limit, claim)
        # Use the calls left until the next round, one at a time, so that staff's calls do not
        # queue behind them.
        if not by_list.filter(spare__gt=0).update(spare=F("spare") - 1):
            return []
        return self._claim_lookups(account, 1, claim)
