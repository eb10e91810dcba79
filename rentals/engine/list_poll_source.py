"""Work source that polls pending orders.

Up to ten pending orders of an account are polled one by one, at the intervals of the document.
Above that the account is polled by its list (`list_poll`); an order is then looked up only if the
list gives reason to, and at its end.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from providers import clock
from providers.engine.claims import ClaimedRows
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Reason
from providers.models import Account

from .. import apply_order_state, poll_intervals
from ..models import Order, Watch
from ..states import OrderState
from . import auth_backoff
from .list_poll import Round, RoundJob
from .lookup_source import LookupSource

S = OrderState

MAX_LOOKUPS_BESIDE_LIST: Final = 2
"""Few at a time, so that a cancel never queues behind many lookups."""
LOOKUPS_WITHOUT_LIST: Final = 10
"""Orders to look up if their list cannot be read."""


def _busy_or_backing_off(now: datetime | Moment) -> QuerySet[Watch]:
    by_list = Watch.objects.filter(by_list=True)
    return by_list.filter(Q(claim__isnull=False) | Q(quiet_until__gt=now))


def _round_due(now: datetime | Moment) -> QuerySet[Watch]:
    return Watch.objects.filter(by_list=True, next_round_at__lte=now)


class PollSource(LookupSource):
    name: ClassVar[str] = "polls"
    lane: ClassVar[Lane] = Lane.POLLS

    def __init__(self) -> None:
        super().__init__()
        self.rounds: ClaimedRows[Watch] = ClaimedRows(RoundJob, Watch.objects.all)
        self.rows = (self.rounds, self.lookups)
        self._busy_or_backing_off = DueAccounts(_busy_or_backing_off)
        self._round_due = DueAccounts(_round_due)

    def _condition(self) -> Q:
        return Q(state=S.PENDING)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        now = clock.now()
        # While a list is being read, it is not yet known which orders to look up.
        free = set(accounts) - self._busy_or_backing_off.among(accounts, now)
        rounds = self._round_due.among(free, now)
        return rounds | super().accounts_with_work(free - rounds)

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
        watch, _ = Watch.objects.get_or_create(account=account)
        if watch.quiet_until and not auth_backoff.take_probe(watch, now):
            return []
        self._choose_mode(watch, now)
        if watch.by_list and watch.claim is not None:
            return []
        if watch.by_list and watch.next_round_at and watch.next_round_at <= now:
            return self._claim_round(watch, claim, now)
        max_lookups = min(limit, MAX_LOOKUPS_BESIDE_LIST) if watch.by_list else limit
        return self._claim_lookups(
            account, max_lookups, claim, probing=watch.quiet_until is not None
        )

    def _choose_mode(self, watch: Watch, now: datetime) -> None:
        """Switch between polling one by one and by the list."""
        waiting = Order.objects.filter(account=watch.account_id, state=S.PENDING)
        count = waiting.order_by()[: poll_intervals.MAX_ONE_BY_ONE + 1].count()
        if not watch.by_list and count > poll_intervals.MAX_ONE_BY_ONE:
            watch.by_list, watch.next_round_at, watch.claim = True, now, None
            watch.save()
            waiting.filter(poll_claim=None, provider_state="pending").update(
                next_poll_at=_end_or_now(now)
            )
        elif watch.by_list and count <= poll_intervals.MAX_ONE_BY_ONE and watch.claim is None:
            watch.by_list, watch.next_round_at = False, None
            watch.save()
            for order in waiting:
                wait = poll_intervals.interval(now - (order.placed_at or order.created_at))
                spread = wait * random.random()  # noqa: S311
                Order.objects.filter(pk=order.pk).update(next_poll_at=now + spread)

    def _claim_round(self, watch: Watch, claim: UUID, now: datetime) -> list[Job]:
        if not self.rounds.claim([watch], claim, now):
            return []
        rows = Order.objects.filter(account=watch.account_id, state=S.PENDING)
        waiting = dict(rows.exclude(provider_id="").values_list("provider_id", "pk"))
        subject = f"account:{watch.account_id}"
        return [RoundJob(watch.account_id, subject, watch.pk, now, waiting, watch.received_pages)]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = clock.now()
        for result in results:
            if isinstance(result.job, RoundJob):
                self._record_round(result.job, result, claim, now)
            else:
                self._record_one(result, now)

    def _record_round(self, job: RoundJob, result: Result, claim: UUID, now: datetime) -> None:
        watch = Watch.objects.filter(account=job.account_id).select_related("account").first()
        if watch is None:
            return
        held = self.rounds.held(job, claim)
        if result.error is not None:
            auth_backoff.note_error(job.account_id, result.error, now)
            lookups = self._look_up_some(job, result.error, now)
            wait = poll_intervals.until_next_round(1 + lookups, watch.account.per_minute)
            held.update(claim=None, claimed_at=None, next_round_at=now + wait)
            return
        if not isinstance(result.value, Round):
            raise TypeError("A round answers with a Round.")
        done = result.value
        auth_backoff.end_backoff(job.account_id)
        lookups = self._apply_round(job, done, now)
        calls = done.calls + lookups
        held.update(
            claim=None,
            claimed_at=None,
            round_at=now,
            next_round_at=job.claimed_at
            + poll_intervals.until_next_round(calls, watch.account.per_minute),
            received_pages=done.received_pages,
            spare=poll_intervals.spare_calls(calls, watch.account.per_minute),
        )

    def _look_up_some(self, job: RoundJob, error: GatewayError, now: datetime) -> int:
        """Look up some random orders because the list could not be read; return how many.

        The next failure picks others, so a faulty list hides no SMS.
        """
        if error.reason == Reason.RATE_LIMITED or error.reason in auth_backoff.AUTH_REASONS:
            return 0
        rows = Order.objects.filter(account=job.account_id, state=S.PENDING, poll_claim=None)
        chosen = list(rows.order_by("?").values_list("pk", flat=True)[:LOOKUPS_WITHOUT_LIST])
        return Order.objects.filter(pk__in=chosen).update(next_poll_at=now)

    def _apply_round(self, job: RoundJob, done: Round, now: datetime) -> int:
        """Apply what the lists state; return how many orders to look up."""
        for rental in done.received:
            apply_order_state.apply(job.waiting[rental.order_id], rental, now, from_lookup=False)
        ids = [job.waiting[one] for one in done.missing]
        missing = Order.objects.filter(pk__in=ids, state=S.PENDING)
        lookups = 0
        for pk, placed_at, polled_at in missing.values_list("pk", "placed_at", "polled_at"):
            # If list and order contradict each other, keep to the order's polling interval.
            last = polled_at or now - poll_intervals.SLOWEST
            at = max(now, last + poll_intervals.interval(now - (placed_at or now)))
            soon = Q(next_poll_at__gt=at) | Q(next_poll_at=None)
            lookups += Order.objects.filter(soon, pk=pk).update(next_poll_at=at)
        return lookups


def _end_or_now(now: datetime) -> Combinable:
    """The order's end, or now if that has passed."""
    current = Value(now, output_field=DateTimeField())
    return Greatest(Coalesce(F("expires_at"), current), current)
